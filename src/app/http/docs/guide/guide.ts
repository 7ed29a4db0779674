/** The languages of examples: those that run, and those that are shown. */
export type Language = 'sh' | 'js' | 'py';

/** A piece of code that a reader can copy and run, with the variables of the first chapter set. A test runs each. */
export interface Example {
  readonly id: string;
  readonly language: Language;
  /** What it is, for the line above it. */
  readonly title: string;
  readonly code: string;
  /** Shell variables that the reader, or the test, then takes from the JSON answer: name to member. */
  readonly sets?: Readonly<Record<string, string>>;
  /** It goes on until it is stopped. */
  readonly runsOn?: boolean;
}

/** Text with `code` and [links](#id); or a table, or an example. */
export type Block =
  | string
  | Example
  | { readonly caption: string; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A chapter of the guide. Its texts are our own: nothing of a request gets into them. */
export interface Chapter {
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}
