/** A text that stands nowhere else in the world, to be looked for where it must not be. */
export class PlantedText {
  private readonly forms: readonly string[];
  /** The forms that a database can hold as text. */
  readonly written: readonly string[];

  constructor(readonly mark: string) {
    this.forms = disguises(mark);
    this.written = this.forms.filter((form) => /^[!-~]+$/.test(form));
  }

  /** The forms of it that a text holds. */
  formsIn(haystack: string): string[] {
    return this.forms.filter((form) => haystack.includes(form));
  }
}

/** A text as it may be written where nobody would see it: in hexadecimal, in base64 at any offset, in UTF-16. */
function disguises(mark: string): string[] {
  const bytes = Buffer.from(mark);
  const wide = Buffer.from(mark, 'utf16le').swap16();
  const base64 = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and the last characters depend on what stands beside the text.
    return padded.slice(4, -4);
  });
  return [mark, bytes.toString('hex'), wide.toString('hex'), wide.toString('latin1'), ...base64];
}
