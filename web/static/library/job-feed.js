// The jobs of the collection as they go on: told by the server (server-sent events), asked for where that does not come
// through, and neither while nobody looks: a browser has few connections for a site.

const SOON = 2000; // ms between two questions while a job is under way
const LATER = 15000;
const RECONNECT = 30000; // after the server has refused a stream

export class JobFeed {
  #source = null;
  #polling = 0;
  #reconnecting = 0;
  #told = 0; // how many lists have come: an answer that one has overtaken is old

  /**
   * @param {{address: () => string, ask: () => Promise<object[]>, isActive: (job: object) => boolean,
   *   onJobs: (jobs: object[]) => void, onFailure: (error: Error) => void}} how
   */
  constructor({ address, ask, isActive, onJobs, onFailure }) {
    Object.assign(this, { address, ask, isActive, onJobs, onFailure });
    document.addEventListener("visibilitychange", () => this.open());
  }

  /** Listen from now on, or anew where the address is another one. */
  open() {
    this.#close();
    if (document.hidden) return;
    this.#source = new EventSource(this.address());
    this.#source.addEventListener("jobs", ({ data }) => {
      clearTimeout(this.#polling);
      this.#tell(JSON.parse(data).jobs);
    });
    this.#source.addEventListener("error", () => this.#interrupted());
  }

  /** Ask at once, as after something that a person did. */
  async look() {
    const before = this.#told;
    try {
      const jobs = await this.ask();
      if (before === this.#told) this.#tell(jobs);
      return jobs;
    } catch (error) {
      this.onFailure(error);
      return [];
    }
  }

  #tell(jobs) {
    this.#told += 1;
    this.onJobs(jobs);
  }

  /** A browser connects again by itself unless it was refused. Until then, and where it is, we ask. */
  #interrupted() {
    clearTimeout(this.#polling);
    this.#poll();
    if (this.#source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.#reconnecting);
    this.#reconnecting = setTimeout(() => this.open(), RECONNECT);
  }

  async #poll() {
    const source = this.#source;
    const jobs = await this.look();
    if (source !== this.#source || source?.readyState === EventSource.OPEN) return;
    clearTimeout(this.#polling);
    this.#polling = setTimeout(() => this.#poll(), jobs.some(this.isActive) ? SOON : LATER);
  }

  #close() {
    clearTimeout(this.#polling);
    clearTimeout(this.#reconnecting);
    this.#source?.close();
    this.#source = null;
  }
}
