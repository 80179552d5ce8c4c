import { systemClock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { Exit, jsonLine, type Context, type Flags } from '#cli';
import { wellKnownDoors } from '#probe/host';
import { askProber } from './ask.ts';
import { probeOptions } from './options.ts';
import { permissionToProbe } from './permission.ts';
import { paceLine, renderSeen, vantageLine } from './render.ts';

/** `services probe HOST`. @throws CliError */
export const runProbe = async ({ io, state, json }: Context, host: string, flags: Flags): Promise<Exit> => {
  const options = probeOptions(flags);
  const permission = await permissionToProbe(
    host,
    state.pki,
    flags['iOperateThisHost'] === true ? 'said' : 'not said',
  );
  const doors = options.doors ?? [...wellKnownDoors];
  const { rates, timeoutMs } = options;
  const time = formatMicros(systemClock().now());
  const { vantage, seen } = await askProber({ host, doors, rates, timeoutMs }, (from) => {
    io.err(vantageLine(io, from));
    io.err(paceLine(io, doors, rates));
  });
  const couldNotLook = seen.alive
    ? []
    : [
        {
          what: `${host} (${vantage.address})`,
          why: 'nothing came back from any port: a host that is off, or not there, looks the same',
          remedy: 'Name with --ports one that must answer, or see on the host itself that it is up',
        },
      ];
  if (json) {
    const { others, ...where } = vantage;
    io.out(
      jsonLine({
        ...where,
        otherAddresses: others,
        time,
        permission,
        rates,
        doors: seen.outcomes,
        couldNotLook,
      }),
    );
  } else io.out(renderSeen(io, seen.outcomes, couldNotLook));
  return seen.alive ? Exit.done : Exit.couldNotLook;
};
