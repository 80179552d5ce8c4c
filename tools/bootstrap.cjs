'use strict';
/*
 * What `npm start`, `npm test` and `npm run …` call. It runs on the distribution's own Node (18 and later), so it is
 * plain CommonJS with Node's built-ins alone: it installs the dependencies, builds the console, and hands over to the
 * Node that came with them. No package's install script is needed, so it also works where npm skips those.
 */
const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const [command = 'start', ...rest] = process.argv.slice(2);

const say = (text) => process.stderr.write(`${text}\n`);
const die = (text) => {
  say(`holdfast: ${text}`);
  process.exit(2);
};

const sha256OfFiles = (files) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(path.relative(root, file)).update('\0').update(fs.readFileSync(file));
  return hash.digest('hex');
};

const readOrEmpty = (file) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const run = (file, args, what) => {
  const { status, error, signal } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (error) die(`${what}: could not run ${file}: ${error.message}`);
  if (status !== 0) die(`${what} failed (${signal || `exit status ${status}`}); what it said is above`);
};

/*
 * Not `npm ci`: it demands an entry in the lock file for every optional dependency of every platform, and not every
 * registry mirror carries those of the platforms that it does not serve. `npm install --no-save` takes the locked
 * versions with their hashes just the same, and leaves the lock file as it is.
 */
const npmArguments = [
  'install',
  '--no-save',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

const installDependencies = () => {
  const stamp = path.join(root, 'node_modules', '.holdfast-installed');
  const wanted = sha256OfFiles([path.join(root, 'package-lock.json')]);
  if (readOrEmpty(stamp) === wanted) return;
  say('Installing dependencies (once; about 900 MB on disk, most of it the search engine and Node) …');
  const started = Date.now();
  run('npm', npmArguments, 'installing dependencies');
  // npm leaves out, without a word, optional packages that want a newer Node than the one it runs on; some tools keep
  // their compiled part in such packages. So npm runs once more, on the Node that has just come.
  const npm = process.env.npm_execpath;
  if (Number(process.versions.node.split('.')[0]) < 22 && npm !== undefined) {
    run(findNode(), ['--no-deprecation', npm, ...npmArguments], 'installing dependencies');
  }
  fs.writeFileSync(stamp, wanted);
  say(`  done in ${Math.round((Date.now() - started) / 1000)} s`);
};

const findNode = () => {
  const bundled = path.join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (fs.existsSync(bundled)) return bundled;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath;
  return die(
    `no Node for linux-${process.arch} came with the dependencies, and this one (${process.version}) is older than 24.15`,
  );
};

const filesBelow = (directory) =>
  fs
    .readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.name !== 'dist' && entry.name !== 'node_modules')
    .flatMap((entry) => {
      const file = path.join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    })
    .sort();

const buildConsole = (node) => {
  const stamp = path.join(root, 'web', 'dist', '.built-from');
  const sources = [
    ...filesBelow(path.join(root, 'web')),
    ...filesBelow(path.join(root, 'src', 'wire')),
    path.join(root, 'package-lock.json'),
  ];
  const wanted = sha256OfFiles(sources);
  if (readOrEmpty(stamp) === wanted) return;
  say('Building the console …');
  run(
    node,
    [path.join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', 'web', '--logLevel', 'warn'],
    'building the console',
  );
  fs.writeFileSync(stamp, wanted);
};

/** Runs the last step, passing signals on, and ends with its status. */
const become = (file, args) => {
  const child = spawn(file, args, { cwd: process.cwd(), stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => die(`could not run ${file}: ${error.message}`));
  child.on('exit', (status, signal) => process.exit(signal ? 1 : status));
};

if (process.platform !== 'linux') die(`it runs on Linux; this is ${process.platform}`);
installDependencies();
const node = findNode();
const typescript = ['--disable-warning=ExperimentalWarning'];
if (command === 'start') {
  buildConsole(node);
  become(path.join(root, 'bin', 'holdfast'), ['up', ...rest]);
} else if (command === 'test') {
  buildConsole(node);
  become(node, [...typescript, path.join(root, 'tools', 'test', 'run.ts'), ...rest]);
} else if (command === 'bench') {
  become(node, [...typescript, path.join(root, 'bench', 'run.ts'), ...rest]);
} else if (command === 'demo') {
  // `holdfast up` on its host prints the console's address.
  buildConsole(node);
  become(node, [...typescript, path.join(root, 'test', 'fleet', `demo-${rest[0] || 'cacti'}.ts`)]);
} else if (command === 'build') {
  buildConsole(node);
} else {
  die(`unknown step '${command}': start, test, bench, demo or build`);
}
