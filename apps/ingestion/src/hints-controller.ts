import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { HintBoard, type Hints } from '@perdure/mesh';

/** Where history's owners say what their commits have brought. */
@Controller('internal/hints')
export class HintsController {
  readonly #board: HintBoard;

  constructor(@Inject(HintBoard) board: HintBoard) {
    this.#board = board;
  }

  @Post()
  @HttpCode(204)
  hear(@Body() hints: Hints): void {
    this.#board.hear(hints);
  }
}
