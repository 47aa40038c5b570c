"""Words of the word list are linked where a page first has them."""

from docutils import nodes

from lrlab.labbook.site import _words as words

KNOWN = {word: f"words.html#{word}" for word in ("seed", "peak", "look", "learning rate")}


def linked(*parts: nodes.Node) -> list[tuple[str, str]]:
    page = nodes.document(None, None)
    page += parts
    before = page.astext()
    words.link(page, KNOWN)
    assert page.astext() == before, "no word may change"
    links = [link for link in page.findall(nodes.reference) if "lrlab-word" in link["classes"]]
    return [(link.astext(), link["refuri"]) for link in links]


def test_first_place_of_each_word_is_linked_and_no_other():
    text = "Seeds differ; each seed has a peak, and the peak of a seed its Learning rate."
    found = linked(nodes.paragraph(text=text), nodes.paragraph(text="A peak, a seed."))
    assert found == [
        ("Seeds", "words.html#seed"),
        ("peak", "words.html#peak"),
        ("Learning rate", "words.html#learning rate"),
    ]


def test_headings_code_and_links_stay_as_they_are():
    line = nodes.paragraph("", "", nodes.literal(text="seed"), nodes.Text(" of a "))
    line += nodes.reference("", "peak", refuri="x.html")
    found = linked(nodes.title(text="A peak"), nodes.literal_block(text="seed = 1"), line)
    assert found == []


def test_a_link_written_as_html_holds_no_other_link():
    tags = [nodes.raw("", tag, format="html") for tag in ('<a href="x.csv">', "</a>")]
    line = nodes.paragraph("", "", tags[0], nodes.Text("of each seed"), tags[1])
    line += nodes.Text(", of each seed")
    assert linked(line) == [("seed", "words.html#seed")]
    link = next(iter(line.findall(nodes.reference)))
    assert line.index(link) > line.index(tags[1])


def test_only_whole_words_count():
    found = linked(nodes.paragraph(text="Seeded peaky peak-to-peak one-look seed_1 unseeds"))
    assert found == []


def test_to_look_at_something_is_no_look():
    found = linked(nodes.paragraph(text="Look at it, look for it. One look is on the record."))
    assert found == [("look", "words.html#look")]


def test_plural_and_singular_are_one_word():
    found = linked(nodes.paragraph(text="peak peaks"))
    assert found == [("peak", "words.html#peak")]


def test_a_verb_is_no_word_of_the_list():
    verbs = "It looks natural. The rule first looks after 5 of them, one that looks ahead. "
    verbs += "The loss peaks early, its curvature peaks at 3, and who does not look sees none."
    assert linked(nodes.paragraph(text=verbs)) == []
    found = linked(nodes.paragraph(text=f"{verbs} Two looks; the peaks, and a peak at 0.1."))
    assert found == [("looks", "words.html#look"), ("peaks", "words.html#peak")]
