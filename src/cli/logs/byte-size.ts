const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `812 B`, `1.4 MiB`: powers of 1024. */
export const byteSize = (bytes: number): string => {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
};
