import type { StateDirectory } from '#base/state';

/** What a child sees of the environment. */
export const environment = (state: StateDirectory): NodeJS.ProcessEnv => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TZ: process.env['TZ'],
  HOME: state.run,
  HOLDFAST_READY_FD: '3',
  HOLDFAST_DEBUG: process.env['HOLDFAST_DEBUG'],
});
