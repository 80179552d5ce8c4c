import { Flag } from '#vault/record';

/** A bit of each row's flags that hits show, and queries ask for, as a field. */
export const possibleRedelivery = { field: 'possible_redelivery', bit: Flag.possibleRedelivery } as const;
