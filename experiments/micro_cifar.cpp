// A network of about ten thousand parameters on CIFAR-10: small enough for a microcontroller.
#include "experiments/experiment.h"
#include "experiments/models.h"

int main(int argc, char** argv) {
  return qlimit::run_experiment(
      {.name = "micro_cifar",
       .description = "Trains the micro CNN on CIFAR-10, quantizes it to int8 and compares.",
       .dataset = "cifar10",
       .make_model = qlimit::micro_cifar_model,
       .augmentation = {.pad = 4, .flip = true},
       .defaults = {.epochs = 40, .batch_size = 128, .learning_rate = 0.01}},
      argc, argv);
}
