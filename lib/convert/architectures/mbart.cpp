// mBART, arXiv 2001.08210, and mBART-50, arXiv 2008.00401: BART with its norms in front and one behind each stack.
#include "convert/architecture.h"
#include "convert/architectures/bart_model.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const BartKeys c(config, {.norm_first = true, .final_norm = true});
  bart_writes(config, g, c, bart_full_attention(c));
}

}  // namespace

extern const Architecture mbart = {
    .family = "mbart",
    .description = "translation; the languages are codes among the ids",
    .model_types = {"mbart", "mbart50"},
    .write = write,
};

}  // namespace linnet::convert::pages
