"""The text tower and its tokens."""

from __future__ import annotations

import torch

from indexer.training.student import Student, StudentRecipe, TokenLists

TINY = StudentRecipe(width=16, heads=2, layers=1)


def test_tokens_without_padding_cut_to_length() -> None:
    tokens = TokenLists(6)
    dog = tokens.of("A dog .")
    assert dog == tokens.of("a dog")
    assert len(dog) == 4  # start, two words, end
    long = tokens.of("one two three four five six seven")
    assert len(long) == 6
    assert (long[0], long[-1]) == (dog[0], dog[-1])


def test_a_text_means_the_same_alone_and_among_longer_ones() -> None:
    torch.manual_seed(0)
    tokens = TokenLists(28)
    student = Student(TINY, tokens.vocabulary, 8).eval()
    texts = ["a dog on the beach", "dog", "three red cups", "dog"]
    with torch.no_grad():
        rows = student([tokens.of(text) for text in texts])
        assert torch.allclose(student([tokens.of("dog")])[0], rows[1], atol=1e-6)
    assert rows.shape == (4, 8)
    assert torch.allclose(rows[1], rows[3], atol=1e-6)
    assert not torch.allclose(rows[0], rows[2], atol=1e-2)
    assert torch.allclose(rows.norm(dim=1), torch.ones(4))
    assert student([]).shape == (0, 8)


def test_words_start_where_their_meanings_lie() -> None:
    torch.manual_seed(0)
    student = Student(TINY, 100, 8)
    meanings = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    meanings[4] = meanings[3]
    student.start_from([10, 20, 30, 40, 50], meanings)
    table = student.table.detach()
    assert float(table[[10, 20, 30]].norm(dim=1).min()) > 2 * float(table[60:].norm(dim=1).mean())
    cosines = torch.nn.functional.normalize(table[[10, 20, 30, 40, 50]], dim=1)
    assert float(cosines[3] @ cosines[4]) > 0.8 > float(cosines[0] @ cosines[4])
    student.start_from([7], meanings[:1])  # one word has no axes to lie along
    assert torch.isfinite(student.table).all()
