import { runChild } from '#base/child';
import { consoleConfig, startConsole } from '#console';

/** The console process: the page and its API, on loopback. */
await runChild(
  'console',
  (config) => consoleConfig.parse(config),
  async (config, log) => {
    const { address, stop } = await startConsole({ ...config, log });
    return { addresses: { console: address }, stop };
  },
);
