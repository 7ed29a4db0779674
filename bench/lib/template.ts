const HASH = 35;
const DIGIT_ZERO = 48;

/**
 * A request with places for a number: every run of `#` becomes that number, filled with zeros on the left and cut to the
 * run's width. The width, and so the Content-Length, never changes.
 */
export class Template {
  private readonly octets: Buffer;
  private readonly runs: { readonly at: number; readonly width: number }[] = [];

  constructor(text: string) {
    this.octets = Buffer.from(text, 'latin1');
    for (let at = 0; at < this.octets.length; at++) {
      if (this.octets[at] !== HASH) continue;
      let width = 1;
      while (this.octets[at + width] === HASH) width++;
      this.runs.push({ at, width });
      at += width;
    }
  }

  fill(number: number): Buffer {
    const octets = Buffer.from(this.octets);
    for (const { at, width } of this.runs) {
      let rest = number;
      for (let i = at + width - 1; i >= at; i--) {
        const next = Math.floor(rest / 10);
        octets[i] = DIGIT_ZERO + rest - next * 10;
        rest = next;
      }
    }
    return octets;
  }
}
