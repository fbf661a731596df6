// The models that the collection has embeddings of, and what can be done with each.

import { say } from "../shared/say.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";

export class ModelList {
  /** @param {{onPromote, onRollback, onReindex: (model: object, button: HTMLElement) => void}} handlers */
  constructor(list, template, { onPromote, onRollback, onReindex }) {
    this.list = list;
    this.template = template;
    const handlers = { promote: onPromote, rollback: onRollback, reindex: onReindex };
    watchActions(list, (key, action, button) => {
      handlers[action](this.models.find(({ id }) => String(id) === key), button);
    });
  }

  models = [];

  /** @param {number} images how many there are to have embeddings of */
  show(models, images) {
    this.models = models;
    drawRows(this.list, models, {
      key: ({ id }) => id,
      template: this.template,
      update: (row, model) => this.#update(row, model, images),
    });
  }

  #update(row, model, images) {
    const state = row.querySelector(".state");
    write(row.querySelector("h3"), model.model);
    write(row.querySelector(".numbers"), embeddingsOf(model, images));
    write(state, say(model.serving ? "library.models.serving" : "library.models.previous"));
    state.hidden = !model.serving && !model.previous;
    row.dataset.state = model.serving ? "serving" : "";
    showActions(row, actionsOf(model, images), model.model);
  }
}

function embeddingsOf({ embeddings, dimension }, images) {
  if (embeddings < images) return say("library.models.some_embeddings", { embeddings, count: images, dimension });
  return say("library.models.embeddings", { count: embeddings, dimension });
}

function actionsOf({ serving, previous, embeddings }, images) {
  if (serving) return [];
  if (embeddings < images) return ["reindex"];
  return [previous ? "rollback" : "promote"];
}
