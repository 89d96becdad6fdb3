/** How methods of gRPC and the fields of their messages are named in an identity. Fields are numbers: `1.2` is field 2 in field 1. */

/** Texts by the numbers of their fields. */
export type GrpcFields = Readonly<Record<string, string>>;

/** The numbers that lead to a field: `2`, `1.2`. */
export const fieldPathPattern = /^[1-9]\d*(\.[1-9]\d*)*$/;

/** A method as it is called: SERVICE/METHOD. */
export const methodPattern = /^[^/\s]+\/[^/\s]+$/;
