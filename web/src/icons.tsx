import type { ReactNode } from 'react';

const icon = (children: ReactNode) => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    {children}
  </svg>
);

export const Shield = () =>
  icon(
    <path d="M8 1.5 2.8 3.4v4.3c0 3.2 2.2 5.4 5.2 6.8 3-1.4 5.2-3.6 5.2-6.8V3.4L8 1.5Zm-2.3 6.3 1.7 1.7 3-3.3" />,
  );
export const ShieldBroken = () =>
  icon(
    <path d="M8 1.5 2.8 3.4v4.3c0 3.2 2.2 5.4 5.2 6.8 3-1.4 5.2-3.6 5.2-6.8V3.4L8 1.5ZM8 5v3.4M8 10.7v.1" />,
  );
export const Question = () =>
  icon(
    <path d="M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM6.2 6.2c.2-1.1 1-1.6 1.9-1.6 1 0 1.8.7 1.8 1.6 0 1.4-1.8 1.4-1.8 2.8M8 11.3v.1" />,
  );
export const Lens = () => icon(<path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14" />);
export const Cross = () => icon(<path d="m3.5 3.5 9 9m0-9-9 9" />);
export const Down = () => icon(<path d="M8 2.5v11m-4.5-4.5L8 13.5 12.5 9" />);
export const Copy = () => icon(<path d="M5.5 5.5h8v8h-8zM10.5 5V2.5h-8v8H5" />);
export const Tick = () => icon(<path d="m3 8.5 3.3 3.3L13 4.8" />);

export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path d="M16 3v13M16 16c0 7-4 7-7 12M16 16c0 7 4 7 7 12M16 16v12M16 12c-6 0-8 5-12 9M16 12c6 0 8 5 12 9" />
  </svg>
);
