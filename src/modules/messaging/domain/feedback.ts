/** What a customer can say became of a message: its recipient did what it was for, or did not, as far as is known. */
export const FEEDBACK_OUTCOMES = ['confirmed', 'unconfirmed'] as const;
export type FeedbackOutcome = (typeof FEEDBACK_OUTCOMES)[number];

export interface Feedback {
  readonly accountId: string;
  readonly messageId: string;
  readonly outcome: FeedbackOutcome;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
