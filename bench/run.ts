import { join } from 'node:path';
import { help, parseOrder, type Order } from './command-line.ts';
import { BenchError, exitStatus } from './errors.ts';
import { ingest } from './ingest.ts';
import { renderIngest } from './ingest/render.ts';
import { layoutBench } from './layout.ts';
import { renderLayout } from './layout/render.ts';
import { cleanUpOnSignals } from './run/clean-up.ts';
import { fillForLater, searchBench } from './search.ts';
import { renderSearch } from './search/render.ts';
import { transportsBench } from './transports.ts';
import { renderTransports } from './transports/render.ts';
import { udpBench } from './udp.ts';
import { renderUdp } from './udp/render.ts';
import { renderVerify } from './vault/render.ts';
import { servicesBench } from './services.ts';
import { renderServices } from './services/render.ts';
import { verifyBench } from './verify.ts';

type Done = { text: string; result: unknown };

const carryOut = async (order: Order, cache: string): Promise<Done> => {
  switch (order.bench) {
    case 'ingest': {
      const result = await ingest(order.options, cache);
      return { text: renderIngest(result), result };
    }
    case 'search': {
      const result = await searchBench(order.options, cache);
      return { text: renderSearch(result), result };
    }
    case 'layout': {
      const result = await layoutBench(order.options, cache);
      return { text: renderLayout(result), result };
    }
    case 'fill':
      await fillForLater(order.options, cache);
      return { text: `filled ${order.options.fill}`, result: order.options };
    case 'transports': {
      const result = await transportsBench(order.options, cache);
      return { text: renderTransports(result), result };
    }
    case 'udp': {
      const result = await udpBench(order.options, cache);
      return { text: renderUdp(result), result };
    }
    case 'services': {
      const result = await servicesBench(order.options);
      return { text: renderServices(result), result };
    }
    case 'verify': {
      const result = await verifyBench(order.options, cache);
      return { text: renderVerify(result), result };
    }
  }
};

const main = async (): Promise<number> => {
  const order = parseOrder(process.argv.slice(2));
  if (order === null) {
    process.stdout.write(help);
    return 0;
  }
  cleanUpOnSignals();
  const { text, result } = await carryOut(order, join(import.meta.dirname, '..', '.cache', 'bench'));
  process.stdout.write(`${text}\n`);
  if (order.json === 'yes') process.stdout.write(`\n${JSON.stringify(result)}\n`);
  return 0;
};

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof BenchError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(error instanceof BenchError ? exitStatus[error.code] : 4);
}
