import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGrubDefault } from './boot-entry.ts';
import { judgeKernel, type KernelImage } from './kernel.ts';

const image = (
  release: string,
  packageVersion: string | null = null,
  build: string | null = null,
): KernelImage => ({ release, packageVersion, build });
const running = (release: string, build = '#1 SMP'): { release: string; build: string } => ({
  release,
  build,
});

test('no kernel installed here: the kernel is somebody else’s, which is not clean', () => {
  const verdict = judgeKernel({
    running: running('6.18.44-fc'),
    signature: null,
    installed: [],
    bootRelease: null,
  });
  assert.equal(verdict.verdict, 'foreign');
});

test('the newest image of the same flavour decides, unless the boot loader says otherwise', () => {
  const installed = [image('6.1.0-9-amd64'), image('6.1.0-37-amd64'), image('6.1.0-40-cloud-amd64')];
  const verdict = (release: string, bootRelease: string | null): string =>
    judgeKernel({ running: running(release), signature: null, installed, bootRelease }).verdict;
  assert.equal(verdict('6.1.0-9-amd64', null), 'older');
  assert.equal(verdict('6.1.0-37-amd64', null), 'current');
  assert.equal(verdict('6.1.0-37-amd64', '6.1.0-37-amd64'), 'current');
  assert.equal(verdict('6.1.0-37-amd64', '6.1.0-40-cloud-amd64'), 'older');
  assert.equal(verdict('6.1.0-37-amd64', '6.1.0-9-amd64'), 'unknown');
  assert.equal(verdict('6.1.0-99-amd64', null), 'unknown');
});

test('the same release in an older build is older: uname -v on Debian, the signature on Ubuntu, the image on disk', () => {
  const debian = judgeKernel({
    running: running('6.1.0-37-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)'),
    signature: null,
    installed: [image('6.1.0-37-amd64', '6.1.147-1')],
    bootRelease: null,
  });
  assert.equal(debian.verdict, 'older');
  const ubuntu = (installed: string): string =>
    judgeKernel({
      running: running('6.8.0-31-generic', '#31-Ubuntu SMP PREEMPT_DYNAMIC Sat Apr 20 00:40:06 UTC 2024'),
      signature: 'Ubuntu 6.8.0-31.31-generic 6.8.1\n',
      installed: [image('6.8.0-31-generic', installed)],
      bootRelease: null,
    }).verdict;
  assert.equal(ubuntu('6.8.0-31.31'), 'current');
  assert.equal(ubuntu('6.8.0-31.32'), 'older');
  const own = judgeKernel({
    running: running('6.12.1', '#3 SMP Mon Jan 5 10:00:00 UTC 2026'),
    signature: null,
    installed: [image('6.12.1', null, '#4 SMP Tue Jan 6 10:00:00 UTC 2026')],
    bootRelease: null,
  });
  assert.equal(own.verdict, 'older');
});

const grub = (setting: string): string => `if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
else
   set default="${setting}"
fi
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root 1
	fi
	linux	/boot/vmlinuz-6.1.0-37-amd64 root=UUID=1 ro quiet
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-37-amd64' $menuentry_id_option 'gnulinux-37' {
		linux	/boot/vmlinuz-6.1.0-37-amd64 root=UUID=1 ro
	}
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-9-amd64' $menuentry_id_option 'gnulinux-9' {
		linux	/vmlinuz-6.1.0-9-amd64 root=UUID=1 ro
	}
}
menuentry 'Memory test' {
	linux16 /boot/memtest86+.bin
}
`;

const release = (setting: string, environment = ''): string | null | undefined =>
  parseGrubDefault(grub(setting), environment)?.release;

test('the default entry of grub.cfg by number, path, title, id and saved entry', () => {
  assert.equal(release('0'), '6.1.0-37-amd64');
  assert.equal(release('1>1'), '6.1.0-9-amd64');
  assert.equal(release('1'), '6.1.0-37-amd64');
  assert.equal(release('gnulinux-advanced-1>gnulinux-9'), '6.1.0-9-amd64');
  assert.equal(
    release('Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-9-amd64'),
    '6.1.0-9-amd64',
  );
  assert.equal(release('${saved_entry}', 'saved_entry=gnulinux-9\n'), '6.1.0-9-amd64');
  assert.equal(release('2'), null);
  assert.equal(release('7'), undefined);
});
