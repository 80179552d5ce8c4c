import { FixError } from './errors.ts';
import { asked, lastWord, run } from './run.ts';

/** A name for which several packages may have a program, and the one that it leads to: update-alternatives(1). */
export type Alternative = { name: string; mode: 'auto' | 'manual'; value: string };

/** @throws FixError `could-not-look` */
const selections = async (): Promise<Alternative[]> => {
  const outcome = await run(['update-alternatives', '--get-selections']);
  if (outcome.status !== 0)
    throw new FixError(
      'could-not-look',
      `which alternatives are chosen is asked of update-alternatives, and it said: ${lastWord(outcome)}`,
    );
  return outcome.stdout.split('\n').flatMap((line) => {
    const [, name, mode, value] = /^(\S+)\s+(auto|manual)\s+(\/.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined
      ? []
      : [{ name, mode: mode === 'manual' ? 'manual' : 'auto', value }];
  });
};

/**
 * Alternatives that may change when these packages are removed or installed: one of them brings a choice, or its scripts
 * speak of the name.
 * @throws FixError `could-not-look`
 */
export const alternativesOf = async (packages: readonly string[]): Promise<Alternative[]> => {
  const [all, files, scripts] = await Promise.all([
    selections(),
    asked(['dpkg-query', '--listfiles', '--', ...packages]),
    scriptsOf(packages),
  ]);
  const brought = new Set(files.split('\n'));
  const spoken = new Set(scripts.split(/[\s"'=;]+/));
  const found = await Promise.all(
    all.map(async (one) => {
      if (spoken.has(one.name)) return [one];
      const choices = [
        ...(await asked(['update-alternatives', '--query', one.name])).matchAll(/^Alternative: (.*)$/gm),
      ].map(([, path = '']) => path);
      return choices.some((path) => brought.has(path)) ? [one] : [];
    }),
  );
  return found.flat();
};

/** Maintainer scripts in which update-alternatives is called. */
const scriptsOf = async (packages: readonly string[]): Promise<string> => {
  const texts = await Promise.all(
    packages.flatMap((name) =>
      ['preinst', 'postinst', 'prerm', 'postrm'].map(
        async (script) => (await run(['dpkg-query', '--control-show', name, script])).stdout,
      ),
    ),
  );
  return texts.filter((text) => text.includes('update-alternatives')).join('\n');
};

/** Commands that choose again what was chosen. */
export const chooseAgain = (alternatives: readonly Alternative[]): string[][] =>
  alternatives.map(({ name, mode, value }) =>
    mode === 'manual'
      ? ['update-alternatives', '--set', name, value]
      : ['update-alternatives', '--auto', name],
  );

/** Alternatives that are not chosen as before: a sentence each. @throws FixError `could-not-look` */
export const changedAlternatives = async (before: readonly Alternative[]): Promise<string[]> => {
  if (before.length === 0) return [];
  const now = new Map((await selections()).map((one) => [one.name, one]));
  return before.flatMap(({ name, mode, value }) => {
    const one = now.get(name);
    if (one?.mode === mode && one.value === value) return [];
    const is = one === undefined ? 'gone' : `${one.value} (${one.mode})`;
    return [`the alternative ${name} is ${is}, and was ${value} (${mode})`];
  });
};
