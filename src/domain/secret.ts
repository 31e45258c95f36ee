/**
 * A value that must not be seen by accident: it prints, logs and serialises as `[secret]`, and only `reveal()`, which
 * is easy to search for, gives it back. Credentials, keys and every message that may hold card data travel in it.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
