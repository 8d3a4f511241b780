// A network of about nine thousand parameters on handwritten digits: the one to begin with.
#include "experiments/experiment.h"
#include "experiments/models.h"

int main(int argc, char** argv) {
  return qlimit::run_experiment(
      {.name = "mnist_cnn",
       .description = "Trains a small CNN on MNIST, quantizes it to int8 and compares.",
       .dataset = "mnist",
       .make_model = qlimit::mnist_model,
       .augmentation = {},
       .defaults = {.epochs = 10, .batch_size = 128, .learning_rate = 0.01, .augment = false}},
      argc, argv);
}
