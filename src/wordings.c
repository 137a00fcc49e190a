/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wordings: the lists. */
#include "wordings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }

const struct wordings_aspect wordings_aspects[] = {
	{ "price", LIST("how much is {}?", "what does {} cost", "how much does {} cost?", "price of {}", "{} price?", "what do you charge for {}?",
		"how expensive is {}", "what is the price for {}?", "cost of {} please", "what do i have to pay for {}?", "is there a fee for {}",
		"how much do you charge for {}", "what would {} cost me?", "do i pay extra for {}?", "is {} free of charge", "{} - how much",
		"what are the charges for {}?") },
	{ "weight", LIST("how heavy is {}?", "what does {} weigh", "weight of {}?", "how many kilos is {}", "how much does {} weigh?",
		"{} weight in kg", "is {} heavy", "how many kilograms does {} have?", "is {} light enough to carry?", "what is the weight of {}",
		"kg of {}?") },
	{ "size", LIST("how big is {}?", "what size is {}", "dimensions of {}?", "how wide is {}", "how long and wide is {}?", "measurements of {}",
		"how tall is {}?", "how many centimetres is {}", "what are the dimensions of {}?", "height and width of {} please", "how large is {}",
		"how deep is {}?") },
	{ "capacity", LIST("how much fits into {}?", "capacity of {}", "how many litres does {} hold?", "what volume does {} have", "how much does {} hold",
		"what is the capacity of {}?", "how much can i put in {}?", "volume of {} in litres", "how many litres go into {}", "{} capacity?",
		"how much water can {} take?") },
	{ "people", LIST("how many people fit in {}?", "for how many persons is {}", "how many guests can {} take?", "is {} big enough for four people",
		"how many seats does {} have?", "number of persons for {}", "how many can sleep in {}?") },
	{ "colour", LIST("what colours does {} come in?", "is {} available in black", "which colour is {}?", "can i get {} in red", "colours of {}?",
		"do you have {} in another colour") },
	{ "contents", LIST("what is in {}?", "ingredients of {}", "what is {} made of?", "what does {} contain", "does {} contain nuts?",
		"is there milk in {}", "does {} have any sugar?", "is {} vegan", "what do you put into {}?", "list of ingredients for {} please",
		"is {} suitable for vegetarians?", "is {} free of gluten", "material of {}?", "which material is {}", "does {} have animal products in it?") },
	{ "duration", LIST("how long does {} take?", "how many days does {} take", "how many days until {} is here?", "when will {} arrive", "duration of {}?",
		"how long do i have to wait for {}", "what is the delivery time of {}?", "in how many days will i get {}", "{} how long?",
		"how long is the wait for {}", "when can i expect {}?", "how many working days for {}", "time needed for {}?", "how soon is {} here",
		"how long until {}?", "shipping time {}") },
	{ "warranty", LIST("how long is the warranty on {}?", "warranty of {}", "is there a guarantee on {}?", "how many years of warranty does {} have",
		"for how long is {} covered?", "{} guarantee period", "my {} broke, is it still under warranty?", "is {} still covered after two years",
		"how many years is {} guaranteed?", "does {} come with a warranty") },
	{ "opening", LIST("when does {} open?", "what time do you open {}", "opening time of {}?", "from when is {} open", "how early can i come to {}?",
		"at what time does {} open", "from what time can i visit {}?", "when do you open {}", "{} opening hours?", "since when is {} open in the morning",
		"what are the opening hours of {}?", "how early does {} open") },
	{ "closing", LIST("when does {} close?", "what time do you close {}", "closing time of {}?", "until when is {} open", "how late can i come to {}?",
		"at what time does {} close", "until what time is {} open?", "how late is {} open", "is {} still open in the evening?", "when do you shut {}") },
	{ "place", LIST("where is {}?", "where do i find {}", "how do i get to {}?", "address of {}", "where are you with {}?", "what is the location of {}",
		"where can i go for {}?", "in which building is {}", "in what room is {}?", "can you tell me the way to {}", "where does {} meet?", "where can i bring something for {}",
		"on which floor is {}?", "{} where?") },
	{ "departure", LIST("which platform does {} leave from?", "where does {} leave", "what platform is {}", "from which platform does {} go?", "where do i wait for {}",
		"{} platform number?", "from where does {} depart", "which gate for {}?", "which stop does {} go from", "where do i have to stand for {}?",
		"at what platform do i get on {}") },
	{ "timetable", LIST("when does {} leave?", "what time does {} go", "at what time is the next {}", "departure time of {}?", "timetable of {}",
		"when is the last {}?", "how often does {} go") },
	{ "days", LIST("on which days does {} run?", "does {} go every day", "which day is there no {}?", "can i take {} on any day of the week", "is there {} daily",
		"are there days without {}?", "on what weekday is there no {}", "what days of the week is {}?", "is {} every day of the week", "which weekday is {}") },
	{ "age", LIST("until what age is {}?", "how old must i be for {}", "is there an age limit for {}?", "at which age does {} end", "up to what age can i have {}?",
		"minimum age for {}", "am i too old for {}?", "i am 30, can i still have {}", "from what age is {}?", "what is the age limit of {}", "how old can i be for {}") },
	{ "validity", LIST("how long is {} valid?", "when does {} expire", "until when can i use {}?", "is {} still valid", "expiry date of {}?", "what is the last day for {}",
		"when does {} run out?", "validity of {}", "by when do i have to redeem {}?", "does {} have an end date", "how long can i use {}") },
	{ "documents", LIST("which documents do i need for {}?", "what papers for {}", "what do i have to bring for {}?", "what must i hand in for {}", "documents required for {}?",
		"what do you need from me for {}", "do i need an id for {}?", "which papers should i send for {}", "what proof is needed for {}?", "i want to apply for {}, what do i need") },
	{ "reset", LIST("how do i reset {}?", "reset {} how", "how can i set {} back to factory settings?", "{} factory reset", "what do i press to reset {}?",
		"which button resets {}", "how to restart {} from scratch?", "resetting {}", "i want to put {} back to the way it was when new", "how do i restore {} to default?") },
	{ "password", LIST("how do i change the password of {}?", "forgot the password for {}", "what is the default password of {}?", "change pin of {}",
		"i cannot log in to {}", "new password for {}") },
	{ "parts", LIST("which bags fit {}?", "what cartridge does {} use", "which filter do i need for {}?", "what type of battery goes in {}", "spare parts for {}?",
		"what do i need to order for {}", "{} is out of ink, what do i buy?", "which refill fits {}", "replacement bags for {}?", "part number for {}",
		"what number do the bags of {} have", "{} toner type", "which ink for {}?") },
	{ "keeping", LIST("how long do you keep {}?", "for how long is {} stored", "how many weeks do you hold on to {}?", "is {} still kept after a month", "how long is {} held",
		"when do you throw {} away?", "how long do you store {}", "for how many days do you keep {}?") },
	{ "temperature", LIST("how warm is {}?", "what temperature does {} have", "is {} heated?", "is {} cold", "temperature of {}?", "how many degrees is {}", "will {} be cold?",
		"what is the temperature of {}", "how hot does {} get?") },
	{ "permission", LIST("can i take {} with me?", "am i allowed to bring {}", "is {} allowed?", "may i bring {}", "do you allow {}", "is it ok to bring {}?",
		"can {} come along", "are you permitted to take {}?") },
	{ "limit", LIST("what is the weight limit for {}?", "maximum for {}?", "how big may {} be at most", "{} max weight",
		"what is the maximum for {}?", "how many {} may i take", "is there a limit on {}?", "at most how many {}") },
	{ "loudness", LIST("how loud is {}?", "noise level of {}", "is {} quiet?", "how many decibels does {} make", "does {} make much noise?") },
	{ "battery", LIST("how long does the battery of {} last?", "battery life of {}", "how do i charge {}?", "how long does {} take to charge", "is {} rechargeable?",
		"how many hours does {} run on one charge") },
	{ "stock", LIST("is {} in stock?", "do you have {}", "when will {} be back in stock?", "is {} available", "can i still get {}?", "is {} sold out",
		"do you sell {}?", "have you got {} in the shop") },
	{ "interest", LIST("what is the interest rate of {}?", "interest on {}", "how much interest do i pay for {}?", "rate for {} please", "what apr does {} have") },
	{ "cancel", LIST("how do i cancel {}?", "can i cancel {}", "i want to get out of {}", "cancelling {} how", "what is the notice period for {}?", "how can i close {}?",
		"please end {}") },
	{ "return", LIST("can i return {}?", "how do i send {} back", "i want my money back for {}", "return {} how", "can i exchange {}?") },
	{ "booking", LIST("how do i book {}?", "where can i sign up for {}", "i would like to reserve {}", "how can i register for {}?", "can i book {} online",
		"do i need a reservation for {}?") },
	{ "use", LIST("how do i use {}?", "how does {} work", "instructions for {}?", "is there a manual for {}", "how do i install {}?", "how do i set up {}",
		"how do i clean {}?") },
	{ "who", LIST("who runs {}?", "who is in charge of {}", "who can i ask about {}?", "contact for {}", "phone number of {}?", "email address of {}") },
	{ "compatible", LIST("does {} work with my phone?", "is {} compatible with an iphone", "can i use {} with a mac?", "does {} fit other models",
		"does {} print on both sides?", "can {} be combined with something else") },
	{ "trouble", LIST("{} does not work", "{} is broken, what now?", "i have a problem with {}", "{} arrived damaged", "there is something wrong with {}",
		"{} makes a strange noise") },
	{ NULL, NULL },
};

const char *const wordings_before[] = {
	"hi, ", "hello, ", "hey ", "Hello! ", "good morning, ", "Good evening. ", "Hi there, ", "dear team, ", "excuse me, ", "quick question: ",
	"please, ", "sorry to bother you, ", "I have a question. ", "hi i wanted to ask: ", "can you tell me: ", "just wondering, ", "pls tell me, ",
	"one question, ", "Could you help me? ", "i need to know, ", NULL
};

const char *const wordings_after[] = {
	" please", " pls", " thanks", ", thank you", " thx", " Thank you!", " please?", " asap", ", any idea?", " Best regards", " do you know?", "??", " thanks in advance",
	", can you tell me?", NULL
};

const char *const wordings_frames[] = {
	"{}", "{}?", "{} please", "{} pls", "question about {}", "i want to know: {}", "{} - any information?", "can you tell me about {}", "info on {}?", "i am asking about {}",
	"{} ??", "do you know {}", "tell me {}", "hello {}", NULL
};

const char *const *const wordings_same[] = {
	LIST("how much is", "what does it cost for", "what is the price of"), LIST("cost", "price", "charge"), LIST("buy", "order", "get", "purchase"),
	LIST("need", "require", "have to have"), LIST("when", "at what time", "what time"), LIST("where is", "where do i find", "how do i get to"),
	LIST("how long", "how much time", "for how long"), LIST("can i", "may i", "am i allowed to", "is it possible to"), LIST("do i have to", "must i", "do i need to"),
	LIST("shop", "store", "branch"), LIST("parcel", "package", "delivery"), LIST("arrive", "come", "get here"), LIST("warranty", "guarantee"),
	LIST("phone", "mobile"), LIST("documents", "papers", "paperwork"), LIST("present", "gift"), LIST("expire", "run out", "end"), LIST("valid", "good"),
	LIST("leave", "depart", "go"), LIST("room", "place"), LIST("repair", "fix", "mend"), LIST("broken", "damaged", "defective"), LIST("return", "send back", "give back"),
	LIST("refund", "money back"), LIST("cancel", "stop", "end"), LIST("contain", "have", "include"), LIST("use", "take"), LIST("big", "large"),
	LIST("quick", "fast"), LIST("free", "without charge"), LIST("which", "what"), LIST("children", "kids"), LIST("client", "customer"), LIST("change", "switch"),
	LIST("help", "support"), LIST("bill", "invoice"), LIST("keep", "hold", "store"), LIST("weigh", "have in kilos"), LIST("lost", "left behind", "forgotten"),
	LIST("do you have", "have you got", "is there"), LIST("tell me", "let me know"), LIST("my", "the"), LIST("a", "the"), LIST("bring", "take with me", "take along"), NULL
};

const char *const *const wordings_kinds[] = {
	LIST("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
	LIST("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"),
	LIST("January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December"),
	LIST("summer", "winter", "spring", "autumn"), LIST("morning", "evening", "afternoon", "night"), LIST("red", "blue", "green", "black", "white", "yellow", "brown"),
	LIST("open", "close"), LIST("opening", "closing"), LIST("student", "business", "family", "pensioner"), LIST("express", "standard", "economy"),
	LIST("bus", "train", "tram", "ferry"), LIST("adult", "child"), LIST("dog", "cat", "bird", "bicycle", "guitar"), LIST("hotel", "hostel", "campsite"),
	LIST("credit", "debit", "prepaid"), LIST("arrive", "leave"), LIST("pool", "sauna", "garden", "gym", "restaurant"), LIST("tea", "coffee", "juice"), NULL
};

const char *const wordings_names[] = {
	"Arden", "Balmoral", "Castor", "Delphi", "Elmwood", "Fenwick", "Galena", "Hartley", "Iona", "Juniper", "Kelso", "Larkspur", "Marlow", "Norden", "Ostra",
	"Pelham", "Quarry", "Rowan", "Selkirk", "Thornbury", "Umber", "Valera", "Wexford", "Yarrow", "Zephyr", "Astor", "Brindle", "Corvus", "Drayton", "Egret",
	"Falcon", "Gannet", "Heron", "Ibex", "Jasper", "Kodiak", "Linnet", "Magnolia", "Nimbus", "Onyx", "Plover", "Quill", "Raven", "Stork", "Teal", "Ursa",
	"Vega", "Willow", "Xenia", "Yukon", "Birchwood", "Stonegate", "Riverside", "Northfield", "Westport", "Hamburg", "Lisbon", "Dublin", "Leeds", "Geneva",
	"Norway", "Malta", "Cyprus", "Iceland", "Madeira", "Corsica", "Solano 200", "Mira 450", "Delta 7", "Vento 90", "Terra X2", "Luma 5", NULL
};

const char *const wordings_things[] = {
	"kettle", "toaster", "bag", "box", "card", "order", "printer", "router", "vacuum cleaner", "coffee maker", "fridge", "lamp", "sofa", "desk", "bicycle", "tent", "backpack", "speaker", "headphones",
	"camera", "phone", "tablet", "laptop", "watch", "heater", "thermostat", "washing machine", "yoghurt", "cheese", "bread", "gummy bears", "chocolate", "shampoo",
	"jacket", "shoes", "gift card", "voucher", "loan", "account", "credit card", "insurance", "subscription", "membership", "ticket", "bus", "train", "ferry", "flight",
	"hotel", "pool", "parking", "breakfast", "gym", "library", "office", "branch", "workshop", "car park", "reception", "chess group", "yoga class", "language course",
	"parcel", "letter", "return label", "invoice", "deposit", "hand luggage", "skis", "pushchair", "stove", "air cleaner", "mower", "drill", "paint", "carpet", NULL
};

static const char *const function_words[] = {
	"a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had",
	"has", "have", "having", "hello", "hey", "hi", "how", "i", "i'd", "i'm", "if", "in", "into", "is", "it", "its", "just", "know", "like", "many", "may", "me", "much",
	"must", "my", "need", "of", "off", "on", "one", "or", "our", "please", "pls", "shall", "should", "so", "some", "tell", "than", "thank", "thanks", "that",
	"the", "their", "them", "then", "there", "they", "this", "to", "us", "want", "was", "we", "were", "what", "when", "where", "which", "who", "will", "with", "would",
	"you", "your",
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

bool wordings_is_function(const char *word)
{
	return bsearch(word, function_words, sizeof(function_words) / sizeof(function_words[0]), sizeof(function_words[0]), by_text) != NULL;
}
