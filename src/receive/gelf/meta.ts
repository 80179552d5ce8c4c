/** What the index is told of a message that came by GELF's own transports. */
export const gelfMeta = JSON.stringify({ via: 'gelf', format: 'gelf' });
