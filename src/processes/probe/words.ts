import { z } from 'zod';
import type { Door, HostProbe, HostSeen, Outcome, ProbeErrorCode, TlsSeen, Vantages } from '#probe/host';

/** What passes between the command and the process `prober`: strangers talk to that one, so its words are checked. */
const door = {
  protocol: z.enum(['tcp', 'udp']),
  port: z.int().min(1).max(65_535),
};

const positive = z.number().positive();

const looking = z.strictObject({
  host: z.string(),
  doors: z.array(z.strictObject(door) satisfies z.ZodType<Door>),
  rates: z.strictObject({ tcp: positive, udp: positive }),
  timeoutMs: positive,
}) satisfies z.ZodType<HostProbe & { host: string }>;

/** Nothing is waited for. */
const sending = z.strictObject({
  address: z.string(),
  ports: z.array(door.port),
  token: z.string(),
  times: z.int().min(1),
  rate: positive,
});

export const proberTask = z.union([looking, sending]);
export type Looking = z.infer<typeof looking>;
export type Sending = z.infer<typeof sending>;
export type ProberTask = Looking | Sending;

const line = z.string().max(1000);

const tlsSeen = z.strictObject({
  versions: z.array(line).max(10),
  subject: line.nullable(),
  names: z.array(line).max(100),
  issuer: line.nullable(),
  expires: line.nullable(),
}) satisfies z.ZodType<TlsSeen>;

const outcome = z.strictObject({
  ...door,
  state: z.enum(['open', 'refused', 'filtered', 'silent', 'not-looked']),
  why: line,
  milliseconds: z.number().nullable(),
  service: line.nullable(),
  banner: line.nullable(),
  tls: tlsSeen.nullable(),
}) satisfies z.ZodType<Outcome>;

const vantage = z.strictObject({
  host: line,
  address: line,
  from: line,
  itself: z.boolean(),
});

const vantages = z.strictObject({
  vantages: z.array(vantage).min(1),
  lost: z.array(z.strictObject({ address: line, why: line })),
  others: z.array(line),
}) satisfies z.ZodType<Vantages>;

const seen = z.strictObject({ outcomes: z.array(outcome), alive: z.boolean() }) satisfies z.ZodType<HostSeen>;

const code = z.enum([
  'bad-ports',
  'bad-host',
  'bad-token',
  'unknown-host',
  'no-way',
]) satisfies z.ZodType<ProbeErrorCode>;

export const proberWord = z.union([
  z.strictObject({ vantages }),
  // Of each address, in their order.
  z.strictObject({ seen }),
  z.strictObject({ sent: z.int() }),
  z.strictObject({ error: z.strictObject({ code, message: line }) }),
]);
export type ProberWord = z.infer<typeof proberWord>;
