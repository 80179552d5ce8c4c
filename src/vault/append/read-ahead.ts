import { openIntakeReader, type Delivery, type IntakePosition } from '#vault/intake';

/**
 * Shows every whole delivery that lies in intake now, from where it is taken up to its end, and takes none. What a witness
 * said before anything is signed must be heard before anything is signed, however much lies in front of it.
 */
export const readAhead = async (
  intake: string,
  position: IntakePosition,
  look: (delivery: Delivery) => Promise<void>,
): Promise<void> => {
  const reader = openIntakeReader({ dir: intake, position: new Map(position) });
  try {
    for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
      if (piece.kind !== 'deliveries') continue;
      for (const delivery of piece.deliveries) await look(delivery);
    }
  } finally {
    await reader.close();
  }
};
