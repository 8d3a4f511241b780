#include "experiments/limit/report/estimate.h"
#include "experiments/limit/report/markdown.h"
#include "experiments/limit/report/tables.h"
#include "experiments/text_table.h"

namespace qlimit {

std::string table_of_champions(const std::vector<ChampionSummary>& champions) {
  MarkdownTable table{.columns = {"recipe", "net", "epochs", "parameters", "bytes", "n", "fp32 accuracy, %",
                                  "int8 accuracy, %", "lost, points", "aim, %"},
                      .left_columns = 2};
  for (const ChampionSummary& champion : champions) {
    BySeed fp32, int8;
    for (const ChampionSummary::Seed& seed : champion.seeds) {
      fp32[seed.seed] = 100 * seed.fp32;
      int8[seed.seed] = 100 * seed.int8;
    }
    table.rows.push_back({code(champion.recipe), champion.net, champion.epochs,
                          thousands(champion.parameters), thousands(champion.model_bytes),
                          std::to_string(champion.seeds.size()), to_text(estimate(fp32)),
                          to_text(estimate(int8)), to_text(estimate(paired_difference(fp32, int8))),
                          to_text(100 * champion.aim, 1)});
  }
  return to_text(table);
}

}  // namespace qlimit
