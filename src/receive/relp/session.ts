import type { Socket } from 'node:net';
import type { Clock } from '#base/clock';
import { Flag } from '#vault/record';
import type { IntakeWriter } from '#vault/intake';
import { deliveryStream } from '../delivery-stream.ts';
import type { Ledger } from '../ledger.ts';
import type { Conversation, Peer } from '../stream-server.ts';
import type { CarryBudget } from '../syslog/framing.ts';
import { openAnswers } from './answers.ts';
import { cutRelp } from './framing.ts';
import type { Sessions } from './sessions.ts';

export type RelpSessionOptions = {
  intake: IntakeWriter;
  clock: Clock;
  ledger: Ledger;
  budget: CarryBudget;
  sessions: Sessions;
};

/** Bytes of answers that a sender may leave unread before nothing more is read from it. */
const unreadAnswers = 256 * 1024;
const goodbye = '0 serverclose 0\n';
const newestVersion = 1;

/**
 * One RELP session, as its server. Each message is answered after it is durable, in order. `open` is no condition:
 * whoever sends a frame that can be told apart is listened to.
 */
export const converseRelp = (
  socket: Socket,
  peer: Peer,
  listener: string,
  { intake, clock, ledger, budget, sessions }: RelpSessionOptions,
): Conversation => {
  const address = socket.remoteAddress ?? 'unknown';
  const sender = peer.tlsName === '' ? address : `certified ${peer.tlsName}`;
  const store = deliveryStream(intake, clock, listener, peer);
  const before = sessions.begin(sender);
  /** How many of the messages that come next may be copies. */
  let doubtful = before;
  let received = 0;
  let window = sessions.window;
  let life: 'open' | 'leaving' | 'closed' = 'open';

  let isFull = false;
  socket.on('drain', () => {
    if (isFull && intake.pressure === 'low') socket.resume();
    isFull = false;
  });

  const answers = openAnswers((bytes) => {
    if (!socket.writable) return;
    socket.write(bytes);
    if (socket.writableLength <= unreadAnswers) return;
    isFull = true;
    socket.pause();
  });

  /** Takes nothing more; ends when everything is answered. */
  const leave = (done: () => void): void => {
    if (life === 'open') life = 'leaving';
    answers.whenSettled(() => {
      if (socket.writable) socket.write(goodbye);
      done();
    });
  };

  const cutter = cutRelp(budget, {
    most: () => (doubtful > 0 ? doubtful : Infinity),
    frames(run, first, count) {
      const delivery = store(doubtful > 0 ? { ...run, flags: run.flags | Flag.possibleRedelivery } : run);
      if (count === 0) return;
      answers.owe(delivery, first, count);
      received += count;
      doubtful = Math.max(0, doubtful - count);
      window = Math.max(window, answers.owed);
    },
    command(txnr, name, data) {
      switch (name) {
        case 'open':
          answers.say(response(txnr, `200 OK\n${offers(data)}`));
          break;
        case 'close':
          answers.say(response(txnr, '200 OK'));
          life = 'closed';
          leave(() => socket.destroySoon());
          break;
        default:
          answers.say(response(txnr, `500 unknown command ${name}`));
      }
    },
    violation(txnr, why) {
      ledger.lost('no RELP', listener, 1, address);
      answers.say(response(txnr, `500 ${why}`));
      leave(() => socket.destroySoon());
    },
  });

  return {
    push(chunk) {
      if (life === 'open') cutter.push(chunk);
    },
    end() {
      if (cutter.end(life === 'open' ? 'cut' : 'goodbye') && life === 'open')
        ledger.lost('torn frame', listener, 1, address);
      const isSettled = life === 'closed' && answers.owed === 0;
      sessions.end(sender, isSettled ? 0 : Math.min(window, Math.max(before, received)));
    },
    finish: () => new Promise((resolve) => leave(resolve)),
  };
};

/** The text of an answer is limited to 80 characters by the specification. */
const response = (txnr: number, data: string): string => `${txnr} rsp ${Buffer.byteLength(data)} ${data}\n`;

/** What the server offers in turn: the version that both know, and the one command. */
const offers = (theirs: string): string => {
  const asked = Number(/^relp_version=(\d{1,3})$/m.exec(theirs)?.[1] ?? 0);
  return [`relp_version=${Math.min(asked, newestVersion)}`, 'relp_software=holdfast', 'commands=syslog'].join(
    '\n',
  );
};
