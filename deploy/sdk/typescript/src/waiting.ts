// Waiting for work that the service does later: exports, transfers, texts.

import { OporaError } from "./problems.js";

/** The work was not done in the time given. */
export class TooLong extends OporaError {}

/** Ask again and again, and give the first answer that is as it should be. */
export async function waitFor<T>(
  ask: () => Promise<T>, until: (answer: T) => boolean, { withinMs = 60_000, everyMs = 500 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (until(answer)) return answer;
    if (Date.now() + everyMs > deadline) throw new TooLong(`not within ${withinMs} ms: ${JSON.stringify(answer)}`);
    await new Promise((done) => setTimeout(done, everyMs));
  }
}
