// A network of about 350,000 parameters on CIFAR-10: six convolutions, as textbooks have them.
#include "experiments/experiment.h"
#include "experiments/models.h"

int main(int argc, char** argv) {
  return qlimit::run_experiment(
      {.name = "standard_cifar",
       .description = "Trains the standard CNN on CIFAR-10, quantizes it to int8 and compares.",
       .dataset = "cifar10",
       .make_model = qlimit::standard_cifar_model,
       .augmentation = {.pad = 4, .flip = true},
       .defaults = {.epochs = 25, .batch_size = 128, .learning_rate = 0.005}},
      argc, argv);
}
