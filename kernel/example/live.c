/* Step a cell live: numbers of one input after another come in, its h goes out.
 *   onecell convert model.pt model.safetensors
 *   printf '1 2 3\n' | live model.safetensors [name of the cell] */
#include <onecell/onecell.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  onecell_cell* cell = NULL;
  onecell_stream* stream = NULL;
  if (argc < 2) return fprintf(stderr, "usage: live FILE [NAME]\n"), 2;
  if (onecell_cell_load(argv[1], argv[2], ONECELL_AS_STORED, &cell) != ONECELL_OK ||
      onecell_stream_create(cell, 1, &stream) != ONECELL_OK)
    return fprintf(stderr, "%s: %s\n", argv[1], onecell_error()), 1;

  const int64_t inputs = onecell_cell_input_size(cell), units = onecell_cell_hidden_size(cell);
  float* const x = malloc(inputs * sizeof *x);
  float* const h = malloc(units * sizeof *h);
  if (x == NULL || h == NULL) return 1;
  for (int64_t k = 0; scanf("%f", &x[k]) == 1;)
    if (++k == inputs) {
      onecell_stream_step(stream, x, h); /* no memory, no lock: fit for an audio thread */
      for (int64_t u = 0; u < units; ++u) printf("%.9g%c", h[u], u + 1 < units ? ' ' : '\n');
      k = 0;
    }
  free(x);
  free(h);
  onecell_stream_destroy(stream);
  onecell_cell_destroy(cell);
  return 0;
}
