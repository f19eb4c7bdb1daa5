/** What one user may store as push rules. The specification names no limits; these are far beyond what clients do. */
export const pushRuleLimits = {
  rulesMax: 5_000,
  ruleIdBytesMax: 512,
  patternBytesMax: 1_024,
  conditionsMax: 50,
  actionsMax: 20,
  /** Of the rule as JSON. */
  ruleBytesMax: 16_384,
} as const;
