// All that the study's page shows: charts, tables, and single figures for its sentences, by the names of the
// page's placeholders.
//
//   const Report report = make_report(StudySummary(read_limit_results(path)), read_champions(folder));
//   fill_template(page, report.texts, "docs/study.template.md");
//
// Names: "chart:heat_map" becomes an image of study/heat_map.png, "table:nets" a table, "value:seeds" a word.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/champion/summary.h"
#include "experiments/charts/canvas.h"
#include "experiments/limit/report/summary.h"

namespace qlimit {

struct Report {
  std::map<std::string, std::string> texts;  // by placeholder
  std::map<std::string, Canvas> charts;      // by the file's name without ".png", in the folder below
};

/// Of the charts and of the results, beside the page.
inline constexpr const char* kStudyFolder = "study";

Report make_report(const StudySummary& summary, const std::vector<ChampionSummary>& champions);

}  // namespace qlimit
