import { z } from 'zod';
import type { Link } from './links.ts';

const listing = z.array(
  z.object({
    ifname: z.string().optional(),
    ifindex: z.number().optional(),
    flags: z.array(z.string()).default([]),
    master: z.string().optional(),
    link_index: z.number().optional(),
    linkinfo: z
      .object({
        info_kind: z.string().optional(),
        info_data: z
          .object({ port: z.number().optional().catch(undefined) })
          .optional()
          .catch(undefined),
      })
      .optional(),
    addr_info: z
      .array(z.object({ family: z.string(), local: z.string().optional(), prefixlen: z.number() }))
      .default([]),
  }),
);

/** What `ip -json -details address` prints (ip-address(8)). @throws Error where it is no such thing */
export const parseLinks = (text: string): Link[] =>
  listing.parse(JSON.parse(text)).flatMap((one): Link[] =>
    one.ifname === undefined
      ? []
      : [
          {
            name: one.ifname,
            index: one.ifindex ?? 0,
            kind: one.linkinfo?.info_kind ?? null,
            loopback: one.flags.includes('LOOPBACK'),
            master: one.master ?? null,
            peer: one.link_index ?? null,
            addresses: one.addr_info.flatMap(({ family, local, prefixlen }) =>
              local === undefined
                ? []
                : [{ address: local, family: family === 'inet6' ? 6 : 4, prefix: prefixlen }],
            ),
            tunnelPort: one.linkinfo?.info_data?.port ?? null,
          },
        ],
  );
