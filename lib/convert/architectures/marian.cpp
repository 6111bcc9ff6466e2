// Marian, arXiv 1804.00344, as published for OPUS-MT: computed positions, no norm of the embedding, one vocabulary or two.
#include "convert/architecture.h"
#include "convert/architectures/bart_model.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const BartKeys c(config, {.embedding_norm = false, .sinusoids = true});
  bart_writes(config, g, c, bart_full_attention(c));
}

}  // namespace

extern const Architecture marian = {
    .family = "marian",
    .description = "translation; one vocabulary or one for each side",
    .model_types = {"marian"},
    .write = write,
};

}  // namespace linnet::convert::pages
