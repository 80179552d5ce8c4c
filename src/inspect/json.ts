/** A member of what JSON.parse made of somebody's text; `undefined` where it has none, or is no object. */
export const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
