/** A header with its value, as clients send it. */
export interface TesterHeader {
  readonly name: string;
  readonly value: string;
}

/** A cookie with its value, as clients send it. */
export interface TesterCookie {
  readonly name: string;
  /** @default always */
  readonly value?: string;
}

/** Clients that get a release under test: those with this header, and those with this cookie. */
export interface Testers {
  /** @default none */
  readonly header?: TesterHeader;
  /** @default none */
  readonly cookie?: TesterCookie;
}

export const defaultCookieValue = "always";

/** What every controller takes as it stands, in a rule, in an annotation and in a pattern. */
export const testerValue = /^[A-Za-z0-9._~/:@=+-]+$/;
export const testerCookieName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
export const testerHeaderName = /^[A-Za-z0-9][-A-Za-z0-9]*$/;

/** The first text of testers that not every controller takes as it stands; `undefined`: there is none. Pure. */
export function wrongTesterText({ header, cookie }: Testers): string | undefined {
  const texts: readonly (readonly [string | undefined, RegExp])[] = [
    [header?.name, testerHeaderName],
    [header?.value, testerValue],
    [cookie?.name, testerCookieName],
    [cookie?.value, testerValue],
  ];
  return texts.find(([text, pattern]) => text !== undefined && !pattern.test(text))?.[0];
}

/** Kept for a while. `pin`: a client stays on the slot that it got, by a cookie of the controller. */
export const stickyKinds = ["pin"] as const;
export type Sticky = (typeof stickyKinds)[number];

/** What some clients get otherwise than others while a release goes live. */
export interface RoutingOptions {
  /** Clients that get the new release from its verification on. @default none */
  readonly testers?: Testers;
  /** Whether clients stay on the slot that they got while the share of the new release grows. @default false */
  readonly sticky?: Sticky | false;
}

/** One way in which testers are known: the headers of such a request. Pure. */
export function testerRequests({ header, cookie }: Testers): readonly Readonly<Record<string, string>>[] {
  return [
    ...(header === undefined ? [] : [{ [header.name]: header.value }]),
    ...(cookie === undefined ? [] : [{ Cookie: `${cookie.name}=${cookieValue(cookie)}` }]),
  ];
}

export function cookieValue({ value = defaultCookieValue }: TesterCookie): string {
  return value;
}

/** What is wrong with testers whose header the preview has already; `undefined`: nothing. Pure. */
export function previewHeaderTaken({ header }: Testers, previewHeader: string): string | undefined {
  return header?.name.toLowerCase() === previewHeader.toLowerCase()
    ? `has the preview header ${previewHeader}, by which a request names a slot at all times: testers need a header of their own`
    : undefined;
}

/** A pattern that a Cookie header with this cookie fits as a whole, in the syntax that RE2 and PCRE share. Pure. */
export function cookiePattern(cookie: TesterCookie): string {
  return `^(?:.*;\\s*)?${literally(cookie.name)}=${literally(cookieValue(cookie))}(?:;.*)?$`;
}

/** A text as a pattern of itself. Pure. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, (sign) => (sign === "-" || sign === "/" ? sign : `\\${sign}`));
}

/** The cookie that keeps clients on a slot while a release goes live, by the name of the main object: another one for each release. Pure. */
export function pinCookie(main: string, release: number): string {
  return `modelswitch-${main}-${release}`;
}

/** The release whose cookie this is; `undefined`: it is none of the model's. Pure. */
export function releaseOfCookie(main: string, cookie: string | undefined): number | undefined {
  const prefix = `modelswitch-${main}-`;
  const number = cookie?.startsWith(prefix) === true ? cookie.slice(prefix.length) : "";
  return /^[1-9]\d{0,14}$/.test(number) ? Number(number) : undefined;
}
