/**
 * Decoders for request bodies, path and query parameters. A decoder takes what came over the wire and gives a typed value,
 * or throws the specification's error: M_MISSING_PARAM for an absent required field, M_BAD_JSON for a body field of the wrong
 * type, M_INVALID_PARAM for a parameter that cannot be read. Unknown fields are ignored.
 */
import { badJson, invalidParam, missingParam } from '../matrix/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { isRawNumber } from '../matrix/json/raw-number.ts';

export interface Decoder<T> {
  /** `at` names the place, for the error: "body.content.name". `undefined` stands for absent. */
  decode(value: JsonValue | undefined, at: string): T;
  readonly isOptional: boolean;
  /** In a query the name may come several times: the decoder is given all its values. Others are given the first one. */
  readonly isList?: boolean;
}
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** Bodies of other servers keep the text of some numbers, as objects that are none. */
const isObject = (value: JsonValue): value is JsonObject => isJsonObject(value) && !isRawNumber(value);

function required<T>(what: string, read: (value: JsonValue, at: string) => T | typeof wrong): Decoder<T> {
  return {
    isOptional: false,
    decode(value, at) {
      if (value === undefined) throw missingParam(`${at} is missing`);
      const result = read(value, at);
      if (result === wrong) throw badJson(`${at} must be ${what}`);
      return result;
    },
  };
}
const wrong = Symbol('wrong type');

export const string = (limits: { maxBytes?: number } = {}): Decoder<string> =>
  required('a string', (value, at) => {
    if (typeof value !== 'string') return wrong;
    if (limits.maxBytes !== undefined && Buffer.byteLength(value) > limits.maxBytes)
      throw invalidParam(`${at} must be at most ${limits.maxBytes} bytes long`);
    return value;
  });
export const boolean = (): Decoder<boolean> =>
  required('a boolean', (value) => (typeof value === 'boolean' ? value : wrong));
/** A whole number that JSON in Matrix can carry: within ±(2^53 − 1). */
export const integer = (limits: { min?: number; max?: number } = {}): Decoder<number> =>
  required('an integer', (value, at) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return wrong;
    if ((limits.min !== undefined && value < limits.min) || (limits.max !== undefined && value > limits.max))
      throw invalidParam(`${at} is out of range`);
    return value;
  });
/** Any JSON value, taken as it is. */
export const json = (): Decoder<JsonValue> => required('a JSON value', (value) => value);
export const jsonObject = (): Decoder<JsonObject> =>
  required('an object', (value) => (isObject(value) ? value : wrong));
export const oneOf = <const T extends readonly string[]>(...values: T): Decoder<T[number]> =>
  required(`one of ${values.join(', ')}`, (value, at) => {
    if (typeof value !== 'string') return wrong;
    if (!values.includes(value)) throw invalidParam(`${at} must be one of ${values.join(', ')}`);
    return value as T[number];
  });
/** A string that `read` accepts; `read` gives undefined for what it does not accept. */
export const parsed = <T>(what: string, read: (text: string) => T | undefined): Decoder<T> =>
  required(what, (value, at) => {
    if (typeof value !== 'string') return wrong;
    const result = read(value);
    if (result === undefined) throw invalidParam(`${at} is not ${what}`);
    return result;
  });
export const arrayOf = <T>(item: Decoder<T>, limits: { max?: number } = {}): Decoder<readonly T[]> =>
  asList(
    required('an array', (value, at) => {
      if (!Array.isArray(value)) return wrong;
      if (limits.max !== undefined && value.length > limits.max)
        throw invalidParam(`${at} must have at most ${limits.max} entries`);
      return value.map((entry: JsonValue, index) => item.decode(entry, `${at}[${index}]`));
    }),
  );
const asList = <T>(decoder: Decoder<T>): Decoder<T> => ({ ...decoder, isList: true });
export const recordOf = <T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> =>
  required('an object', (value, at) => {
    if (!isObject(value)) return wrong;
    // No prototype: a key named __proto__ is data like any other.
    const out: Record<string, T> = Object.create(null) as Record<string, T>;
    for (const [key, entry] of Object.entries(value)) out[key] = item.decode(entry, `${at}.${key}`);
    return out;
  });

/** Absent stays undefined. A JSON null counts as absent: several clients send it. */
export const optional = <T>(decoder: Decoder<T>): Decoder<T | undefined> => ({
  isOptional: true,
  isList: decoder.isList ?? false,
  decode: (value, at) => (value === undefined || value === null ? undefined : decoder.decode(value, at)),
});
export const withDefault = <T>(decoder: Decoder<T>, fallback: T): Decoder<T> => ({
  isOptional: true,
  isList: decoder.isList ?? false,
  decode: (value, at) => (value === undefined || value === null ? fallback : decoder.decode(value, at)),
});

type Fields = Readonly<Record<string, Decoder<unknown>>>;
export type DecodedFields<F extends Fields> = { readonly [K in keyof F]: Decoded<F[K]> };

export const object = <F extends Fields>(fields: F): Decoder<DecodedFields<F>> =>
  required('an object', (value, at) => {
    if (!isObject(value)) return wrong;
    const out: Record<string, unknown> = {};
    for (const [name, decoder] of Object.entries(fields))
      out[name] = decoder.decode(Object.hasOwn(value, name) ? value[name] : undefined, `${at}.${name}`);
    return out as DecodedFields<F>;
  });

/** An object as it came, further fields included, once the named ones are what they must be. */
export const objectWith = (fields: Fields): Decoder<JsonObject> => ({
  isOptional: false,
  decode(value, at) {
    object(fields).decode(value, at);
    return jsonObject().decode(value, at);
  },
});

// ---- query and path parameters come as text ----

const text = <T>(what: string, read: (value: string) => T | undefined): Decoder<T> => ({
  isOptional: false,
  decode(value, at) {
    if (value === undefined) throw missingParam(`${at} is missing`);
    const result = typeof value === 'string' ? read(value) : undefined;
    if (result === undefined) throw invalidParam(`${at} must be ${what}`);
    return result;
  },
});
export const queryInteger = (limits: { min?: number; max?: number } = {}): Decoder<number> =>
  text('an integer', (value) => {
    if (!/^-?\d{1,15}$/.test(value)) return undefined;
    const number = Number(value);
    return number < (limits.min ?? -Infinity) || number > (limits.max ?? Infinity) ? undefined : number;
  });
export const queryBoolean = (): Decoder<boolean> =>
  text('true or false', (value) => (value === 'true' ? true : value === 'false' ? false : undefined));
