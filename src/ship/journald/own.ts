/**
 * Whether an entry is Holdfast's own output. `_…` fields come from journald itself and cannot be forged; an identifier
 * can, so it counts only for users who could stop the agent anyway. Else `logger -t holdfast` would hide a line.
 *
 * @param trusted user ids, in decimal
 */
export const isOwnEntry = (fields: ReadonlyMap<string, string>, trusted: ReadonlySet<string>): boolean => {
  const ownUnit = /^holdfast(?:[-@.]|$)/;
  if (ownUnit.test(fields.get('_SYSTEMD_UNIT') ?? '')) return true;
  if (!trusted.has(fields.get('_UID') ?? '')) return false;
  return (
    ownUnit.test(fields.get('_SYSTEMD_USER_UNIT') ?? '') || fields.get('SYSLOG_IDENTIFIER') === 'holdfast'
  );
};
