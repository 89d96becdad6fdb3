/**
 * Where a schema and the type of what it checks differ, as texts; `never` where they are one. `readonly`, and the two ways to say that a key may be missing, make no difference. Objects
 * that the schema leaves open (`looseObject`) may have keys that it does not know. The members of a union are compared as one object
 * with the keys of all of them.
 */
export type Difference<Schema, Type, At extends string = ""> = unknown extends Schema
  ? never
  : unknown extends Type
    ? `${At}: anything in the type alone`
    :
        | PlainDifference<Plain<Schema>, Plain<Type>, At>
        | ListDifference<List<Schema>, List<Type>, At>
        | ObjectDifference<Objects<Schema>, Objects<Type>, At>;

type Plain<T> = T extends object | undefined ? never : T;
type List<T> = T extends readonly unknown[] ? T : never;
type Objects<T> = T extends readonly unknown[] ? never : T extends object ? T : never;

type PlainDifference<A, B, At extends string> = [A] extends [B]
  ? [B] extends [A]
    ? never
    : `${At}: more in the type`
  : `${At}: more in the schema`;

type ListDifference<A, B, At extends string> = [A] extends [never]
  ? [B] extends [never]
    ? never
    : `${At}: a list in the type alone`
  : [B] extends [never]
    ? `${At}: a list in the schema alone`
    : Difference<Item<A>, Item<B>, `${At}[]`>;
type Item<T> = T extends readonly (infer I)[] ? I : never;

type ObjectDifference<A, B, At extends string> = [A] extends [never]
  ? [B] extends [never]
    ? never
    : `${At}: an object in the type alone`
  : [B] extends [never]
    ? `${At}: an object in the schema alone`
    :
        | MapDifference<A, B, At>
        | {
            [K in KnownKeys<A> | KnownKeys<B>]: K extends KnownKeys<A>
              ? K extends KnownKeys<B>
                ? KeyDifference<A, B, K, Under<At, K>>
                : AnyKey<B> extends true
                  ? never
                  : `${Under<At, K>}: in the schema alone`
              : AnyKey<A> extends true
                ? never
                : `${Under<At, K>}: in the type alone`;
          }[KnownKeys<A> | KnownKeys<B>];

type Under<At extends string, K> = K extends string ? (At extends "" ? K : `${At}.${K}`) : At;

type KeyDifference<A, B, K extends PropertyKey, At extends string> =
  | (MayLack<A, K> extends MayLack<B, K> ? never : `${At}: required in one of them alone`)
  | Difference<ValueAt<A, K>, ValueAt<B, K>, At>;

/** Of maps: what their values are. */
type MapDifference<A, B, At extends string> =
  AnyKey<A> extends true
    ? AnyKey<B> extends true
      ? Difference<MapValue<A>, MapValue<B>, `${At}.*`>
      : never
    : never;
type MapValue<T> = T extends { readonly [key: string]: infer V }
  ? string extends keyof T
    ? V
    : never
  : never;
/** Whether some member of the union may have keys that it does not name; `object` names none. */
type AnyKey<T> = true extends (
  T extends unknown
    ? string extends keyof T
      ? true
      : object extends T
        ? [keyof T] extends [never]
          ? true
          : false
        : false
    : never
)
  ? true
  : false;

type KnownKeys<T> = T extends unknown
  ? keyof { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] }
  : never;
type ValueAt<T, K extends PropertyKey> = T extends { readonly [P in K]?: infer V }
  ? Exclude<V, undefined>
  : never;
/** Whether some member of the union may be without the key. */
type MayLack<T, K extends PropertyKey> = true extends (
  T extends unknown
    ? K extends keyof T
      ? undefined extends T[K]
        ? true
        : false
      : true
    : never
)
  ? true
  : false;
