/** What each status of the API means, for its documents. */
export const statusMeanings: Readonly<Record<number, string>> = {
  200: "Done.",
  201: "Made.",
  202: "Begun: it goes on behind the answer.",
  307: "This member of PD does not lead: ask the one that does.",
  400: "A field is wrong, or PD refuses what it asks for. Nothing was changed.",
  401: "The token is missing or wrong.",
  403: "PD answers nobody here: it has no token and listens beyond loopback, or a page of another origin asks.",
  404: "There is no such thing.",
  409: "It is so already, or it changed just now.",
  413: "The body is too large.",
  415: "The body is no JSON, or does not say that it is.",
  500: "Anything else.",
  503: "Not now: no leader is known, nothing is placed yet, or PD is busy. Nothing was changed: ask again.",
  504: "Whether it was done is unknown.",
};
