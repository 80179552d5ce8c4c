/** One thing that the operator does, and what must come of it. */
export type Chapter = {
  title: string;
  /** What the reader should know before. */
  why: string;
  /** On which host, for bash. */
  at: 'cacti' | 'outside';
  command: string;
  status: number;
  /** What must stand in what it prints, and what must not. */
  prints: readonly RegExp[];
  never?: readonly RegExp[];
};

/** The login page comes from the database: Cacti reads its settings from there before it shows anything. */
const cactiWorks =
  "curl -fsSL http://127.0.0.1/cacti/ | grep -o 'Login to Cacti' && runuser -u www-data -- php /usr/share/cacti/site/poller.php --force";

const banner = "timeout 3 bash -c 'head -c 30 < /dev/tcp/cacti/3306' | tr -cd '[:print:]'";

const check = "'curl -fsSL http://127.0.0.1/cacti/ | grep -q Login'";

/** The seed case from end to end, in this order. */
export const story: readonly Chapter[] = [
  {
    title: 'Find it',
    why: 'Cacti runs here, on Debian’s packages. Its database was once opened to the network.',
    at: 'cacti',
    command: 'holdfast services list 2>/dev/null | grep -e PROTO -e mariadbd',
    status: 0,
    prints: [/:3306 .*anyone.*mariadb/],
  },
  {
    title: 'Is it so? Seen from another host',
    why: 'A stranger is greeted by the database, with its version.',
    at: 'outside',
    command: banner,
    status: 0,
    prints: [/MariaDB/],
  },
  {
    title: 'Who uses it, what each step would cost, and what would be written',
    why: 'Nothing is changed yet. Besides Cacti there is billing, which nobody remembered.',
    at: 'cacti',
    command: 'holdfast services plan 3306 --watch 5s',
    status: 0,
    prints: [
      /php of cacti-poller\.service, on this host, by 127\.0\.0\.1/,
      /php of billing\.service, on this host, by 10\.78\.0\.\d/,
      /→ local only/,
      /\+bind-address = 127\.0\.0\.1/,
      /--print-defaults: \* → 127\.0\.0\.1/,
      /lan-address-clients/,
      /Nothing was changed/,
    ],
  },
  {
    title: 'The fix says no',
    why: 'Billing dials this host by its name, so by its address on the network. It travels over lo, and yet it would break.',
    at: 'cacti',
    command: 'holdfast services fix 3306 --watch 3s',
    status: 2,
    prints: [/lan-address-clients \(not accepted\)/, /nothing was changed/],
  },
  {
    title: 'Told to go ahead, it breaks billing, sees that, and undoes itself',
    why: 'The risk is accepted by name.',
    at: 'cacti',
    command: "holdfast services fix 3306 --watch 3s --accept lan-address-clients --from 'ssh outside'",
    status: 1,
    prints: [
      /✗ broke .*billing/s,
      /zz-holdfast-local\.cnf\s+removed/,
      /✓ start +systemctl start .*billing/,
      /Undone, everything is as before/,
    ],
  },
  {
    title: 'Everything is as it was',
    why: 'The database is open again, billing and Cacti work.',
    at: 'cacti',
    command:
      'sleep 2; ls /etc/mysql/mariadb.conf.d; systemctl is-active mariadb billing cacti-poller; holdfast services list 2>/dev/null | grep -c ":3306 .*anyone"',
    status: 0,
    prints: [/active\nactive\nactive\n[12]/],
    never: [/holdfast-local/],
  },
  {
    title: 'Mend billing, then fix for good',
    why: 'Billing gets 127.0.0.1. The operator’s own check is Cacti’s login page; another host proves that the door is shut.',
    at: 'cacti',
    command: `sed -i 's/mysqli_connect("cacti"/mysqli_connect("127.0.0.1"/' /etc/systemd/system/billing.service && systemctl daemon-reload && systemctl restart billing && sleep 1 && holdfast services fix 3306 --watch 8s --from 'ssh outside' --check ${check}`,
    status: 0,
    prints: [
      /✓ outside .*3306: refused \(before:\s+open\)/s,
      /✓ dependents .*billing\.service/s,
      /Done, and proven/,
    ],
  },
  {
    title: 'Refused from outside',
    why: 'The same stranger as before.',
    at: 'outside',
    command: banner,
    status: 1,
    prints: [/Connection refused/],
    never: [/MariaDB/],
  },
  {
    title: 'Cacti still works',
    why: 'Its login page, and a run of its poller against the database.',
    at: 'cacti',
    command: cactiWorks,
    status: 0,
    prints: [/Login to Cacti/, /SYSTEM STATS: Time:/],
  },
  {
    title: 'The proof is kept',
    why: 'Every step of both fixes is a line of the log, and the log can be proven.',
    at: 'cacti',
    command: `sleep 2; holdfast logs search 'app:holdfast kind=fix step=outside' | grep -o 'step=outside.*'; holdfast vault verify`,
    status: 0,
    prints: [/refused \(before: open\)/],
  },
  {
    title: 'And back, if it must be',
    why: 'Days later, or after a reboot: byte for byte.',
    at: 'cacti',
    command: 'holdfast services undo && holdfast services list 2>/dev/null | grep -e PROTO -e mariadbd',
    status: 0,
    prints: [/✓ undone/, /:3306 .*anyone/],
  },
];
