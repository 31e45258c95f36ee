/** What a reader of one value gives back when the value is no good: what is wrong, and how to mend it. */
export class Fault {
  readonly what: string;
  readonly mend: string;

  constructor(what: string, mend: string) {
    this.what = what;
    this.mend = mend;
  }
}
