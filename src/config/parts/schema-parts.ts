import { z } from "zod";

/** What the shapes of the configuration file have in common. */

export const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const headerToken = /^[A-Za-z0-9][-A-Za-z0-9]*$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const text = (about: string) => z.string().min(1).describe(about);
export const count = (about: string, minimum: number) => z.int().min(minimum).describe(about);
/** How a default is told in the text of a key. */
export const otherwise = (value: string | number | boolean): string => `Default: ${value}`;
export const port = z.int().min(1).max(65535);

export const absolutePath = z
  .string()
  .regex(/^\/\S*$/, "must start with / and contain no spaces")
  .describe("Absolute path");

export const labels = z.record(
  z.string().regex(qualifiedName, "is no label name"),
  z.string().regex(labelValue, "is no label value: letters, digits, - _ . and at most 63 characters"),
);

export const annotations = z.record(z.string().regex(qualifiedName, "is no annotation name"), z.string());
