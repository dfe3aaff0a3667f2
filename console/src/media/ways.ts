/** The ways by which a session may receive its stream: what the browser can, what the viewer chose, what was tried. */

import { beginTrial, candidates, ruleOut, strike, whyNone, type Abilities, type Choice, type Reason, type Transport, type Trial } from './transport';

export class Ways {
  readonly abilities: Abilities;
  #choice: Choice;
  #trial: Trial;

  constructor(abilities: Abilities, choice: Choice) {
    this.abilities = abilities;
    this.#choice = choice;
    this.#trial = this.#fromTheTop();
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Undefined when none is left to try. */
  get current(): Transport | undefined {
    return this.#trial.current;
  }

  choose(choice: Choice): void {
    this.#choice = choice;
    this.restart();
  }

  restart(): void {
    this.#trial = this.#fromTheTop();
  }

  ruleOut(reason: Reason | undefined): void {
    this.#trial = ruleOut(this.#trial, reason);
  }

  strike(): void {
    this.#trial = strike(this.#trial);
  }

  /** For the viewer, when none is left. */
  whyNone(): string {
    return whyNone(this.#trial, this.#choice, this.abilities);
  }

  #fromTheTop(): Trial {
    return beginTrial(candidates(this.#choice, this.abilities));
  }
}
