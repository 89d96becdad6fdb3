import { z } from "zod";
import { defaultCookieValue, stickyKinds, testerCookieName, testerValue } from "../../core/testers.ts";
import { headerToken, otherwise } from "../parts/schema-parts.ts";

/** The shape of `routing`: who gets a new release before others, and who keeps it. */

const value = z.string().regex(testerValue, "may have letters, digits and - . _ ~ / : @ = + only");

const cookieName = z
  .string()
  .regex(testerCookieName, "is no name of a cookie: letters, digits, - . and _ only");

const testers = z
  .strictObject({
    header: z
      .strictObject({
        name: z
          .string()
          .regex(headerToken, "is no header name: letters, digits and - only")
          .describe("Name of the header"),
        value: value.describe("Its value"),
      })
      .optional()
      .describe("Clients that send this header. Default: none"),
    cookie: z
      .strictObject({
        name: cookieName.describe("Name of the cookie"),
        value: value.optional().describe(`Its value. ${otherwise(defaultCookieValue)}`),
      })
      .optional()
      .describe("Clients that send this cookie. Default: none"),
  })
  .refine(
    ({ header, cookie }) => header !== undefined || cookie !== undefined,
    "says of nobody that they are testers; give a header or a cookie",
  );

export const routingSchema = z
  .strictObject({
    testers: testers
      .optional()
      .describe("Clients that get the new release from its verification on. Default: none"),
    sticky: z
      .union([z.enum(stickyKinds), z.literal(false)])
      .optional()
      .describe(
        "Whether clients stay on the slot that they got while the share of the new release grows: pin (by a cookie of the controller). Default: false",
      ),
  })
  .describe(
    "Who gets a new release before others while it goes live, and who keeps it. Default: nobody, and each request for itself",
  );
