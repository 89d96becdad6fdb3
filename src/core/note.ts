/** Something that a command says of what it does, or does not do. */
export interface Note {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
