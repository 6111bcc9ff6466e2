// PEGASUS, arXiv 1912.08777: computed positions, norms in front and one behind each stack.
#include "convert/architecture.h"
#include "convert/architectures/bart_model.h"

namespace linnet::convert::pages {

namespace {

void write(const Config& config, Graph& g) {
  const BartKeys c(config, {.norm_first = true, .embedding_norm = false, .final_norm = true, .sinusoids = true});
  bart_writes(config, g, c, bart_full_attention(c));
}

}  // namespace

extern const Architecture pegasus = {
    .family = "pegasus",
    .description = "summarization",
    .model_types = {"pegasus"},
    .write = write,
};

}  // namespace linnet::convert::pages
