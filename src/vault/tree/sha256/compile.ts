import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where `npm ci` in tools/assemblyscript puts the compiler. */
export const compilerPath = join(
  import.meta.dirname,
  '../../../../tools/assemblyscript/node_modules/assemblyscript/dist/asc.js',
);

/** What lanes.wasm was made with. */
export const compilerVersion = '0.28.20';

/** Run this file to write lanes.wasm anew. */
const options = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
/** 64 KiB each: 1 MiB for what is hashed at once, and what the module needs itself. It never grows. */
const pages = ['--initialMemory', '19', '--maximumMemory', '19'];

/** The part of the compiler's interface that is used here. */
export type Compiler = {
  main(
    argv: string[],
    api: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles(): string[];
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>;
};

/** lanes.as, compiled. @throws Error with what the compiler said */
export const compile = async (compiler: Compiler): Promise<Buffer> => {
  const source = readFileSync(join(import.meta.dirname, 'lanes.as'), 'utf8');
  let made: Buffer | null = null;
  const argv = ['lanes.ts', '--outFile', 'lanes.wasm', ...options, ...pages];
  const { error, stderr } = await compiler.main(argv, {
    readFile: (name) => (name === 'lanes.ts' ? source : null),
    writeFile: (name, contents) => {
      if (name === 'lanes.wasm') made = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null || made === null)
    throw new Error(`lanes.as does not compile: ${stderr.toString()}`, { cause: error });
  return made;
};

if (import.meta.main) {
  const compiler: Compiler = await import(compilerPath);
  writeFileSync(join(import.meta.dirname, 'lanes.wasm'), await compile(compiler));
}
