#!/bin/sh
# Installs Holdfast on this host as systemd units, one user for each process (docs/deploy.md). Debian 12 and 13, Ubuntu 24.04.
#
#     deploy/install.sh               installs, or brings an installation up to this version; may be run again at any time
#     deploy/install.sh --uninstall   stops and removes it; /var/lib/holdfast, its users and /etc/holdfast stay
#
# Needs root and systemd 249 or newer. Dependencies come from this clone where 'npm run build' was run in it; else they are
# fetched, for which the host needs node (18 or newer) and npm.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd -P)
home=/opt/holdfast
state=/var/lib/holdfast
etc=/etc/holdfast
units=/etc/systemd/system

say() { echo "holdfast: $*"; }
die() { echo "holdfast: $*" >&2; exit 2; }

[ "$(id -u)" = 0 ] || die "it makes users and units, so it has to be run as root"
[ -d /run/systemd/system ] || die "systemd does not run here; 'holdfast up' runs everything without it"
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
[ "${version:-0}" -ge 249 ] || die "systemd $version is too old for the fences of the units; it takes 249 or newer"

uninstall() {
  systemctl disable --now --quiet holdfast.target 2>/dev/null || true
  for unit in "$units"/holdfast-*.service; do
    [ -e "$unit" ] || continue
    systemctl disable --now --quiet "$(basename "$unit")" 2>/dev/null || true
    rm -f "$unit"
  done
  rm -rf "$units/holdfast.target" "$units/holdfast.target.wants" "$units/holdfast-.service.d" \
    /etc/sysusers.d/holdfast.conf /etc/tmpfiles.d/holdfast.conf /usr/local/bin/holdfast /run/holdfast
  systemctl daemon-reload
  # Dependencies that were mounted there are somebody else's.
  find "$home" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} + 2>/dev/null || true
  mountpoint -q "$home/node_modules" 2>/dev/null || rm -rf "$home"
  say "removed. The log ($state), its users and $etc are still there"
}

case ${1:-} in
  '') ;;
  --uninstall) uninstall; exit 0 ;;
  *) die "unknown argument '$1'; it takes none, or --uninstall" ;;
esac

# The program, root's and readable by all.
if [ "$source" != "$home" ]; then
  mkdir -p "$home"
  for part in bin deploy docs src tools web package.json package-lock.json .npmrc LICENSE README.md; do
    [ -e "$source/$part" ] || continue
    rm -rf "${home:?}/$part.new"
    # Not what a build has left in it, but the console that it made.
    cp -R "$source/$part" "$home/$part.new"
    rm -rf "${home:?}/$part"
    mv "$home/$part.new" "$home/$part"
  done
  if ! mountpoint -q "$home/node_modules" 2>/dev/null &&
    [ -e "$source/node_modules/.holdfast-installed" ] &&
    ! cmp -s "$source/node_modules/.holdfast-installed" "$home/node_modules/.holdfast-installed"; then
    say "copying the dependencies"
    rm -rf "$home/node_modules"
    cp -R --reflink=auto "$source/node_modules" "$home/node_modules"
  fi
  chown -R -h root:root "$home/bin" "$home/deploy" "$home/src" "$home/tools" "$home/web"
  chmod -R go+rX,go-w "$home/bin" "$home/deploy" "$home/src" "$home/tools" "$home/web"
  chmod 755 "$home"
fi

node=
find_node() {
  for candidate in "$home"/node_modules/node-linux-*/bin/node; do
    [ -x "$candidate" ] && "$candidate" -e '' 2>/dev/null && node=$candidate && return 0
  done
  node=$(command -v node) || return 1
}
find_node || die "there is no node here to begin with: apt-get install nodejs npm"
# Fetches what is missing and builds the console; nothing where both are there.
"$node" "$home/tools/bootstrap.cjs" build
find_node
"$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 24 || (a == 24 && b >= 15) ? 0 : 1)' ||
  die "no Node came with the dependencies, and $node is older than 24.15"
ln -sfn "$node" "$home/node"

# Users, directories, configuration.
install -m 644 -D "$home/deploy/sysusers.d/holdfast.conf" /etc/sysusers.d/holdfast.conf
install -m 644 -D "$home/deploy/tmpfiles.d/holdfast.conf" /etc/tmpfiles.d/holdfast.conf
systemd-sysusers /etc/sysusers.d/holdfast.conf
if [ -d "$state/run" ] && [ ! -e "$state/run/units" ]; then
  # What 'holdfast up' has kept until now, under numbers without names.
  while read -r kind number name; do
    case $kind in
      u) find "$state" -uid "$number" -exec chown -h "$name" {} + ;;
      g) find "$state" -gid "$number" -exec chgrp -h "$name" {} + ;;
    esac
  done <"$home/deploy/numbers"
fi
systemd-tmpfiles --create /etc/tmpfiles.d/holdfast.conf
[ -e "$etc/holdfast.toml" ] || install -m 644 "$home/deploy/holdfast.toml" "$etc/holdfast.toml"

# A vault is made once, here, and remembered. Where one was, its absence is a fault, and no reason to begin another.
if [ ! -e "$state/keys/vault.vkey" ]; then
  [ ! -e "$etc/vault.vkey" ] ||
    die "the vault that was made here ($(cat "$etc/vault.vkey")) is missing from $state. Restore vault/ and keys/; only for a new log that begins anew: rm $etc/vault.vkey"
  say "made the vault $("$node" --disable-warning=ExperimentalWarning "$home/src/processes/units/create-vault.ts" "$state")"
  systemd-tmpfiles --create /etc/tmpfiles.d/holdfast.conf
fi
[ -e "$etc/vault.vkey" ] || install -m 644 "$state/keys/vault.vkey" "$etc/vault.vkey"

# Units.
for file in "$home"/deploy/systemd/*.service "$home"/deploy/systemd/*.target; do
  install -m 644 "$file" "$units/$(basename "$file")"
done
for unit in "$units"/holdfast-*.service; do
  # One that this version no longer has.
  [ -e "$home/deploy/systemd/$(basename "$unit")" ] || { systemctl disable --now --quiet "$(basename "$unit")" || true; rm -f "$unit"; }
done
install -m 644 -D "$home/deploy/systemd/holdfast-.service.d/10-fence.conf" "$units/holdfast-.service.d/10-fence.conf"
ln -sfn "$home/bin/holdfast" /usr/local/bin/holdfast
systemctl daemon-reload
for file in "$home"/deploy/systemd/*.service "$home"/deploy/systemd/*.target; do
  systemctl enable --quiet "$(basename "$file")"
done
systemctl restart holdfast.target

waited=0
until [ -e "$state/run/ready.json" ]; do
  [ "$waited" -lt 120 ] || {
    systemctl --no-pager --lines=5 status 'holdfast-*' >&2 || true
    die "not everything serves after two minutes; the above says what does not"
  }
  sleep 1
  waited=$((waited + 1))
done
say "everything serves. systemctl status 'holdfast*' · holdfast logs search hello · its configuration: $etc/holdfast.toml"
say "the console, from this host: http://127.0.0.1:8600/?token=…, the token being in $state/run/console.token (root's to read)"
