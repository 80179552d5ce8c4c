export { noteUses, parseBook, type Noted, type UseBook } from './book.ts';
export { useWatcher, type Observed, type UseWatcher } from './observe.ts';
export { packageChanges, type PackageChange } from '../patches/dpkg-log.ts';
export { openingOf, type Opening } from './opening.ts';
export { doorName, type Client, type DoorName, type Use } from './uses.ts';
