import { existsSync } from 'node:fs';
import { compare, type Arrival, type Compared } from '#advise';
import { systemClock } from '#base/clock';
import type { CouldNotLook } from '#base/looked';
import { formatMicros } from '#base/rfc3339';
import { Exit, jsonLine, text, type Context, type Flags } from '#cli';
import { unique, wellKnownDoors, type Outcome } from '#probe/host';
import { probeArrivals, type Arrivals } from './arrivals.ts';
import { askProber } from './ask.ts';
import { doorsOf, insideFromFile, insideThrough, type Inside } from './inside.ts';
import { insideFromLog } from './inside-from-log.ts';
import { probeOptions, type ProbeOptions } from './options.ts';
import { permissionToProbe } from './permission.ts';
import { recorded, summaryOf, type ProbeRecord } from './record.ts';
import { paceLine, renderSeen, vantageLine } from './render.ts';
import { renderCompared } from './render-compared.ts';

/** `services probe HOST`, with its record in the log. @throws CliError */
export const runProbe = async (context: Context, host: string, flags: Flags): Promise<Exit> => {
  const options = probeOptions(flags);
  return recorded(context, host, async (record) => probe(context, host, { flags, options, record }));
};

type Asked = { flags: Flags; options: ProbeOptions; record: ProbeRecord };

const probe = async (context: Context, host: string, { flags, options, record }: Asked): Promise<Exit> => {
  const { io, state, json } = context;
  const permission = await permissionToProbe(
    host,
    state.pki,
    flags['iOperateThisHost'] === true ? 'said' : 'not said',
  );
  const inside = await insideOf(context, host, flags);
  const doors =
    options.doors ?? unique([...(inside === null ? [] : doorsOf(inside.view)), ...wellKnownDoors]);
  const { rates, timeoutMs } = options;
  const time = formatMicros(systemClock().now());
  await record.begin({
    permission,
    ports: text(flags, 'ports') ?? 'what it says it has open, and what is well known',
    doors: doors.length,
    ...(inside === null ? {} : { inside: inside.from }),
  });
  const { vantage, seen } = await askProber({ host, doors, rates, timeoutMs }, (from) => {
    io.err(vantageLine(io, from));
    io.err(paceLine(io, doors, rates));
  });
  const arrivals = await arrivalsOf(context, vantage.address, seen.outcomes, flags);
  const outcomes = seen.outcomes.map((outcome) => settled(outcome, arrivals));
  const compared =
    inside === null
      ? null
      : seen.outcomes.map((outcome) =>
          compare(outcome, vantage.address, inside.view, arrivalOf(outcome, arrivals)),
        );
  await record.done({ address: vantage.address, from: vantage.from, ...summaryOf(outcomes, compared) });
  const couldNotLook = [...gapsOf(host, vantage.address, seen.alive), ...arrivals.couldNotLook];
  if (json) {
    const { others, ...where } = vantage;
    io.out(
      jsonLine({
        ...where,
        otherAddresses: others,
        time,
        permission,
        rates,
        inside: inside === null ? null : { from: inside.from, extent: inside.view.extent },
        doors: compared === null ? outcomes.map(alone) : compared.map(beside),
        couldNotLook,
      }),
    );
  } else if (inside === null || compared === null) io.out(renderSeen(io, outcomes, couldNotLook));
  else io.out(renderCompared(io, compared, inside, couldNotLook));
  if (!seen.alive) return Exit.couldNotLook;
  return compared?.some(({ verdict }) => verdict === 'nobody') === true ? Exit.bad : Exit.done;
};

/** Given, asked of the host, or what its agent said last. */
const insideOf = async ({ state, io }: Context, host: string, flags: Flags): Promise<Inside | null> => {
  const file = text(flags, 'inside');
  if (file !== undefined) return { view: await insideFromFile(file), from: file };
  const through = text(flags, 'through');
  if (through !== undefined) return { view: await insideThrough(through), from: through };
  const said = await insideFromLog(state, host);
  if (said === null) return null;
  io.err(`Inside: what its agent said, last at ${said.asOf}.\n`);
  return { view: said.view, from: `its agent, at ${said.asOf}` };
};

/** Silent doors are tried from both sides, where there is another side. */
const arrivalsOf = async (
  { state, io }: Context,
  address: string,
  outcomes: readonly Outcome[],
  flags: Flags,
): Promise<Arrivals> => {
  const ports = outcomes.flatMap(({ state: seen, port }) => (seen === 'silent' ? [port] : []));
  const through = text(flags, 'through') ?? null;
  const token = text(flags, 'token') ?? null;
  if (ports.length === 0 || (through === null && token === null && !existsSync(state.searchSocket)))
    return { byPort: new Map(), couldNotLook: [] };
  io.err(`Sending tokens to what is silent: ${ports.map((port) => `udp/${port}`).join(', ')}.\n`);
  return probeArrivals(state, { address, ports, through, token });
};

const arrivalOf = ({ protocol, port }: Outcome, { byPort }: Arrivals): Arrival | null =>
  protocol === 'udp' ? (byPort.get(port) ?? null) : null;

/** A silent door whose token came to the log is open. */
const settled = (outcome: Outcome, arrivals: Arrivals): Outcome => {
  const logged = arrivalOf(outcome, arrivals)?.logged;
  return outcome.state === 'silent' && logged !== null && logged !== undefined
    ? { ...outcome, state: 'open', why: `what was sent is in the log, at ${logged}` }
    : outcome;
};

const gapsOf = (host: string, address: string, alive: boolean): CouldNotLook[] =>
  alive
    ? []
    : [
        {
          what: `${host} (${address})`,
          why: 'nothing came back from any port: a host that is off, or not there, looks the same',
          remedy: 'Name with --ports one that must answer, or see on the host itself that it is up',
        },
      ];

const alone = (outcome: Outcome): object => ({ ...outcome, inside: null, verdict: null, explanation: null });

const beside = ({ outcome, inside, verdict, explanation }: Compared): object => ({
  ...outcome,
  inside,
  verdict,
  explanation,
});
