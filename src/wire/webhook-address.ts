/** Whether a host, as a URL has it, is the machine itself. */
export const isThisMachine = (host: string): boolean => /^(127\.[0-9.]+|\[?::1\]?|localhost)$/.test(host);

/**
 * The address of a webhook.
 * @returns why it is none, without the address: it may be a secret
 */
export const webhookAddress = (text: string): { url: URL } | { wrong: string } => {
  const url = URL.parse(text);
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.password !== ''
  )
    return { wrong: 'is no https:// or http:// address without user and password' };
  if (url.protocol === 'http:' && !isThisMachine(url.hostname))
    return { wrong: 'would send lines of the log in clear: use https://' };
  return { url };
};
