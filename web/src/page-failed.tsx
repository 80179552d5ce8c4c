import type { ErrorComponentProps } from '@tanstack/react-router';

/** In place of the page when it fails itself: the log is not lost with it. */
export const PageFailed = ({ error }: ErrorComponentProps) => (
  <main className="state" data-tone="alarm" role="alert">
    <div className="state-card">
      <h1>This page failed</h1>
      <p>
        The fault is in the page, not in the log. Reload it; <code>holdfast logs tail</code> shows the same
        lines.
      </p>
      <p className="quiet">{error instanceof Error ? error.message : String(error)}</p>
    </div>
  </main>
);
