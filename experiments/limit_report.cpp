// The answers of the limit study: charts, tables, and docs/study.md. `limit_report --help`.
#include <iostream>

#include "experiments/limit/report/program.h"
#include "experiments/program.h"

int main(int argc, char** argv) {
  return qlimit::run_program("limit_report", [&] {
    const auto options = qlimit::parse_limit_report_options({argv + 1, argv + argc}, std::cout);
    if (options) qlimit::run_limit_report(*options);
    return 0;
  });
}
