/** A kind of usage, by Twilio's name. */
export interface UsageCategory {
  readonly name: string;
  readonly description: string;
  /** What is counted; null: only the price. */
  readonly unit: string | null;
  /** Whether charges with such keys belong to it. */
  readonly covers: (keyPrefix: string) => boolean;
}

const isSms = (keyPrefix: string) => keyPrefix === 'SM';

/** Only what is sent is charged, so these two have the same figures. */
const CATEGORIES: readonly UsageCategory[] = [
  { name: 'sms', description: 'SMS', unit: 'messages', covers: isSms },
  { name: 'sms-outbound', description: 'Outbound SMS', unit: 'messages', covers: isSms },
  { name: 'totalprice', description: 'Total price', unit: null, covers: () => true },
];

/** The categories of a name, or all of them; none for a name of something that does not exist here. */
export function usageCategories(name: string | null): readonly UsageCategory[] {
  return name === null ? CATEGORIES : CATEGORIES.filter((category) => category.name === name);
}
