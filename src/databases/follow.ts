import type { Answer, Plan, Statement } from "./statement.ts";

/**
 * Runs a plan on a database that answers at once. What a statement fails with is thrown into the plan, which may give it
 * a better name.
 */
export function follow<T>(plan: () => Plan<T>, ask: (statement: Statement) => Answer): T {
  const steps = plan();
  let step = steps.next();
  while (!step.done) {
    let answer: Answer;
    try {
      answer = ask(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(answer);
  }
  return step.value;
}

/** `follow` for a database that has to be waited for. */
export async function followAsync<T>(plan: () => Plan<T>, ask: (statement: Statement) => Promise<Answer>): Promise<T> {
  const steps = plan();
  let step = steps.next();
  while (!step.done) {
    let answer: Answer;
    try {
      answer = await ask(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(answer);
  }
  return step.value;
}
